//! The house rules (STYLE.md), checked on every file of the checkout.
//!
//! Enters: the files as they lie there. Leaves: one failing test per broken rule, with every place that breaks it.
//! Invariant: a rule that cannot be checked quickly and surely is not here but in STYLE.md, marked for review.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use lockgate_tidy::{Source, files, functions, host_crates, read, relative, root, sources, undocumented_items};

/// Lines of a file, without its tests.
const FILE_LINES_MAX: usize = 400;
/// Lines of a function.
const FUNCTION_LINES_MAX: usize = 60;

fn none_of(found: Vec<String>, rule: &str) {
    assert!(found.is_empty(), "{rule}\n  {}\n", found.join("\n  "));
}

#[test]
fn crates_use_each_other_as_the_drawing_in_architecture_md_says() {
    let drawing = read("ARCHITECTURE.md");
    let mut drawn: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in drawing.lines().filter(|l| l.starts_with("| `host/") && !l.starts_with("| `host/`")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let name = crate_name(cells[1].trim_matches('`').trim_start_matches("host/"));
        drawn.insert(name, cells[2].split_whitespace().filter(|w| *w != "-").map(crate_name).collect());
    }
    assert!(!drawn.is_empty(), "ARCHITECTURE.md has no table of crates (rows `| `host/x` | uses | ... |`)");
    let is_ours = |name: &String| name.starts_with("lockgate");
    let actual: BTreeMap<String, BTreeSet<String>> =
        host_crates().into_iter().map(|c| (c.name, c.dependencies.into_iter().filter(is_ours).collect())).collect();
    assert_eq!(actual, drawn, "left: Cargo.toml, right: ARCHITECTURE.md");
}

fn crate_name(folder: &str) -> String {
    let folder = folder.trim_matches(',');
    if folder == "lockgate" { folder.to_owned() } else { format!("lockgate-{folder}") }
}

#[test]
fn one_crate_each_holds_the_engine_the_client_and_the_web_server() {
    let homes = [("wasmtime", "lockgate-wasm"), ("rdkafka", "lockgate-kafka"), ("axum", "lockgate-api")];
    let mut strays = Vec::new();
    for member in host_crates() {
        for (library, home) in homes {
            let named = member.dependencies.iter().any(|d| d == library || d.starts_with(&format!("{library}-")));
            if named && member.name != home {
                strays.push(format!("{} names {library}", member.name));
            }
        }
    }
    none_of(strays, "wasmtime lives in host/wasm, rdkafka in host/kafka, axum in host/api, and nowhere else:");
}

#[test]
fn every_file_opens_by_saying_what_it_is() {
    let bare = sources().into_iter().filter(|s| !s.text.starts_with("//!"));
    none_of(bare.map(|s| s.path).collect(), "a file opens with `//!`: what enters, what leaves, the invariant kept:");
}

#[test]
fn files_and_functions_are_short() {
    let mut allowed = exceptions();
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|s| !s.path.ends_with("tests.rs")) {
        let lines = source.lines_without_tests;
        judge(&source.path, lines, FILE_LINES_MAX, &mut allowed, &mut wrong);
        for function in functions(&source.code_without_tests()) {
            let place = format!("{} {}", source.path, function.name);
            judge(&place, function.lines, FUNCTION_LINES_MAX, &mut allowed, &mut wrong);
        }
    }
    wrong.extend(
        allowed.into_keys().map(|place| format!("{place} is short now: take it off tests/tidy/exceptions.txt")),
    );
    none_of(wrong, "files up to 400 lines without tests, functions up to 60:");
}

fn judge(place: &str, lines: usize, max: usize, allowed: &mut BTreeMap<String, usize>, wrong: &mut Vec<String>) {
    if lines <= max {
        return;
    }
    match allowed.remove(place) {
        Some(n) if n == lines => {}
        Some(n) if n > lines => {
            wrong.push(format!("{place} has {lines} lines: lower its {n} in tests/tidy/exceptions.txt"))
        }
        _ => wrong.push(format!("{place} has {lines} lines, at most {max} are allowed")),
    }
}

fn exceptions() -> BTreeMap<String, usize> {
    let text = read("tests/tidy/exceptions.txt");
    let lines = text.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty());
    lines
        .map(|line| {
            let (lines, place) = line.split_once(' ').expect("`lines place`");
            (place.trim().to_owned(), lines.parse().expect("a number of lines"))
        })
        .collect()
}

#[test]
fn names_say_what_a_thing_is() {
    let banned = ["util", "utils", "common", "manager", "helper", "helpers"];
    let mut found = Vec::new();
    for source in sources() {
        let words = source.path.trim_end_matches(".rs").split(['/', '_', '-']);
        found.extend(words.filter(|w| banned.contains(w)).map(|w| format!("{}: {w}", source.path)));
        for (at, line) in source.code.lines().enumerate() {
            let name = declared_name(line);
            // A function may well find what is common to two things; a type or a module of that name is a drawer.
            let is_function = line.split_whitespace().any(|w| w == "fn");
            let is_banned = |b: &&&str| snake(name).split('_').any(|w| w == **b) && !(is_function && **b == "common");
            let hits = banned.iter().filter(is_banned);
            found.extend(hits.map(|_| format!("{}:{}: {name}", source.path, at + 1)));
        }
    }
    none_of(found, "a name says what the thing is; util, common, manager and helper do not:");
}

fn declared_name(line: &str) -> &str {
    let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty());
    let keyword = words.by_ref().find(|w| matches!(*w, "struct" | "enum" | "trait" | "mod" | "fn" | "type"));
    keyword.and_then(|_| words.next()).unwrap_or_default()
}

fn snake(name: &str) -> String {
    let parts = name.char_indices().map(|(at, c)| {
        let break_before = at > 0 && c.is_uppercase();
        format!("{}{}", if break_before { "_" } else { "" }, c.to_lowercase())
    });
    parts.collect()
}

#[test]
fn nothing_is_left_undone_or_skipped() {
    let needles =
        [concat!("#[ig", "nore"), concat!("to", "do!("), concat!("unimpl", "emented!("), concat!("dbg", "!(")];
    let found = |s: &Source| needles.iter().flat_map(|n| s.places(n)).collect::<Vec<_>>();
    none_of(sources().iter().flat_map(found).collect(), "no skipped test, no code that only panics:");
}

#[test]
fn tests_are_sentences() {
    let mut found = Vec::new();
    for source in sources() {
        let lines: Vec<&str> = source.code.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let is_test =
                lines[at.saturating_sub(3)..at].iter().any(|l| l.contains("#[test]") || l.contains("::test]"));
            let name = declared_name(line);
            let short = name.split('_').count() < 3 || name.starts_with("test_");
            if is_test && line.contains("fn ") && !line.contains("fn $") && short {
                found.push(format!("{}:{}: {name}", source.path, at + 1));
            }
        }
    }
    none_of(found, "a test's name is a sentence that is true when it passes:");
}

#[test]
fn unsafe_stands_only_at_the_two_borders_and_says_why() {
    let allowed = |path: &str| ["host/wasm/", "host/kafka/", "tests/bench/"].iter().any(|p| path.starts_with(p));
    let mut found = Vec::new();
    for source in sources() {
        let text: Vec<&str> = source.text.lines().collect();
        for (at, line) in source.code.lines().enumerate() {
            if !line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == "unsafe") {
                continue;
            }
            let said = text[at.saturating_sub(8)..=at].iter().any(|l| l.contains("SAFETY:") || l.contains("# Safety"));
            if !allowed(&source.path) || !said {
                found.push(format!("{}:{}", source.path, at + 1));
            }
        }
    }
    none_of(
        found,
        "unsafe only in host/wasm and host/kafka (and the raw loops of tests/bench), each with `// SAFETY:`:",
    );
}

#[test]
fn every_queue_has_a_bound() {
    let needles =
        [concat!("unbounded", "_channel"), concat!("mpsc::", "unbounded"), concat!("sync::mpsc::", "channel(")];
    let found = |s: &Source| needles.iter().flat_map(|n| s.places(n)).collect::<Vec<_>>();
    none_of(sources().iter().flat_map(found).collect(), "every queue has a bound (L5):");
}

#[test]
fn nothing_knows_the_machine_it_was_written_on() {
    let needles = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("arti", "factory")];
    let mut found = Vec::new();
    for path in files() {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for (at, line) in text.lines().enumerate() {
            let hits = needles.iter().filter(|n| line.contains(**n));
            found.extend(hits.map(|n| format!("{}:{}: {n}", relative(&path), at + 1)));
        }
    }
    none_of(found, "no path or host of one machine in any file:");
}

#[test]
fn each_law_is_cited_where_it_is_made_and_where_it_is_relied_on() {
    let map = read("ARCHITECTURE.md");
    let sources = sources();
    let mut wrong = Vec::new();
    for law in (1..=8).map(|n| format!("L{n}")) {
        let Some(row) = map.lines().find(|l| l.starts_with(&format!("| {law} |"))) else {
            wrong.push(format!("ARCHITECTURE.md has no row for {law}"));
            continue;
        };
        if row.contains("not yet") {
            continue; // decided, not built: the row says so
        }
        let cites = |s: &&Source| s.path.starts_with("host/") && has_word(&s.text, &law);
        let places: Vec<&str> = sources.iter().filter(cites).map(|s| s.path.as_str()).collect();
        if places.len() < 2 {
            wrong.push(format!("{law} is cited in {places:?} only"));
        }
    }
    none_of(wrong, "each law stands in ARCHITECTURE.md, and in host/ where it is made and where it is relied on:");
}

fn has_word(text: &str, word: &str) -> bool {
    let edge = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
    text.match_indices(word)
        .any(|(at, _)| edge(text[..at].chars().next_back()) && edge(text[at + word.len()..].chars().next()))
}

#[test]
fn every_item_of_the_contract_is_documented() {
    let wit =
        files().into_iter().filter(|p| relative(p).starts_with("wit/") && p.extension().is_some_and(|e| e == "wit"));
    let bare = wit.flat_map(|path| {
        let text = fs::read_to_string(&path).unwrap_or_default();
        undocumented_items(&text).into_iter().map(move |item| format!("{}:{item}", relative(&path)))
    });
    none_of(bare.collect(), "every item of the WIT says what it means, in which unit, and who owns it:");
}

#[test]
fn every_sdk_carries_the_contract_word_for_word() {
    let copies = files().into_iter().filter(|p| {
        let path = relative(p);
        path.starts_with("sdk/") && path.contains("/wit/") && path.ends_with(".wit") && !path.contains("/deps/")
    });
    let mut different = Vec::new();
    for copy in copies {
        let name = copy.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let original = fs::read_to_string(root().join("wit/v0.1").join(&name)).unwrap_or_default();
        if fs::read_to_string(&copy).unwrap_or_default() != original {
            different.push(format!("{} differs from wit/v0.1/{name}", relative(&copy)));
        }
    }
    for wit in files().into_iter().filter(|p| relative(p).starts_with("wit/v0.1/")) {
        let name = wit.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let copies = ["sdk/c/wit", "sdk/go/wit", "sdk/js/wit", "sdk/python/src/lockgate/wit"];
        different.extend(
            copies.iter().filter(|d| !root().join(d).join(&name).exists()).map(|d| format!("{d}/{name} is missing")),
        );
    }
    none_of(different, "the WIT files of an SDK are those of wit/v0.1:");
}

#[test]
fn an_sdks_version_is_that_of_the_contract_and_its_changelog_knows_it() {
    let versions =
        [("sdk/js", "package.json", "\"version\": \""), ("sdk/python", "src/lockgate/__init__.py", "__version__ = \"")];
    let mut wrong = Vec::new();
    for (sdk, file, before) in versions {
        let text = fs::read_to_string(root().join(sdk).join(file)).unwrap_or_default();
        let version = text.split_once(before).and_then(|(_, rest)| rest.split_once('"')).map_or("", |(v, _)| v);
        // One folder for each frozen version of the contract.
        if !version.rsplit_once('.').is_some_and(|(minor, _)| root().join(format!("wit/v{minor}")).is_dir()) {
            wrong.push(format!("{sdk}/{file}: {version:?} is not one of a contract in wit/"));
        }
        let changes = fs::read_to_string(root().join(sdk).join("CHANGELOG.md")).unwrap_or_default();
        if !changes.contains(&format!("## {version}\n")) {
            wrong.push(format!("{sdk}/CHANGELOG.md says nothing of {version}"));
        }
    }
    none_of(wrong, "an SDK's major and minor version are those of the WIT that it is made for:");
}
