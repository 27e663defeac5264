//! `docs/languages.md` against this suite: which case is put to which language.
//!
//! Enters: the lists that the cases are made of. Leaves: the table between the two marks of the page. Invariant: the page says
//! what runs; with `LOCKGATE_BLESS=1` it is written.

use std::fmt::Write;

use lockgate_tests::places;

use super::{Cases, Guest, kinds, limits, outside, sinks, sources, transforms};

const BEGIN: &str = "<!-- cases: made by the contract suite -->\n";
const END: &str = "<!-- cases: end -->";

/// Columns, in this order.
const GUESTS: [Guest; 6] = [Guest::Rust, Guest::Python, Guest::QuickJs, Guest::StarlingMonkey, Guest::C, Guest::Go];

const PARTS: [(&str, Cases); 7] = [
    ("all kinds", kinds::CASES),
    ("sources", sources::CASES),
    ("sinks", sinks::CASES),
    ("transforms", transforms::CASES),
    ("limits", limits::CASES),
    ("HTTP", outside::http::CASES),
    ("TCP", outside::tcp::CASES),
];

fn table() -> String {
    let mut text = String::from("| of | case |");
    GUESTS.iter().for_each(|guest| write!(text, " {} |", guest.title()).unwrap());
    text.push_str("\n|---|---|");
    text.push_str(&"---|".repeat(GUESTS.len()));
    text.push('\n');
    for (part, (guests, cases)) in PARTS {
        for case in cases {
            write!(text, "| {part} | {} |", case.replace('_', " ")).unwrap();
            GUESTS.iter().for_each(|g| text.push_str(if guests.contains(g) { " yes |" } else { " - |" }));
            text.push('\n');
        }
    }
    text
}

#[test]
fn the_matrix_of_languages_in_the_docs_is_what_runs_here() {
    let path = places::root().join("docs/languages.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has the first mark");
    let (kept, after) = rest.split_once(END).expect("the page has the second mark");
    let made = table();
    if std::env::var_os("LOCKGATE_BLESS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{made}{END}{after}")).unwrap();
        return;
    }
    assert!(kept == made, "the cases in docs/languages.md are out of date; write them with LOCKGATE_BLESS=1:\n{made}");
}
