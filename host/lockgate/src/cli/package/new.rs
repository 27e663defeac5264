//! `lockgate package new`: a project that builds, in the author's language.
//!
//! Enters: a language, a kind, a name. Leaves: a folder with code, a unit test, a README, a CI file and the SDK. Invariant: nothing is
//! overwritten, and what was written builds with this program and with nothing that is not published.

mod names;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::sdk::{self, Carried};
use crate::cli::failure::Failure;
use crate::cli::screen::Screen;
use crate::cli::table::clean;
use names::Names;

const README: &str = include_str!("new/README.md");
const CI: &str = include_str!("new/ci.yml");

/// Options of `lockgate package new`.
#[derive(Args, Debug)]
pub struct Options {
    /// The language
    #[arg(long, value_enum)]
    lang: Lang,
    /// What the plugin does: source (outside -> Kafka), sink (Kafka -> outside), transform (in between)
    #[arg(long, value_enum)]
    kind: Kind,
    /// Name of the package: lower-case letters, digits and single hyphens, such as orders-sink
    name: String,
    /// Folder to make [default: NAME]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Languages of projects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    /// Rust
    Rust,
    /// Python
    Python,
    /// JavaScript
    Js,
    /// TypeScript
    Ts,
    /// Go
    Go,
    /// C
    C,
    /// C++
    Cpp,
}

/// Kinds of plugins that a project begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Outside -> Kafka
    Source,
    /// Kafka -> outside
    Sink,
    /// Kafka -> Kafka, in between
    Transform,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Sink => "sink",
            Self::Transform => "transform",
        }
    }
}

/// What a language's ecosystem calls things.
struct Ecosystem {
    title: &'static str,
    /// The folder of its SDK.
    sdk: &'static str,
    /// The folder of its templates.
    templates: &'static str,
    needs: &'static str,
    unit: &'static str,
    version: &'static str,
    libraries: &'static str,
    ignored: &'static [&'static str],
    /// A step that sets a CI machine up.
    setup: &'static str,
}

const PYTHON_ON_CI: &str = "      - uses: actions/setup-python@v5\n        with: { python-version: \"3.12\" }\n";
const RUST: Ecosystem = Ecosystem {
    title: "Rust",
    sdk: "rust",
    templates: "rust/template",
    needs: "Rust 1.95 or newer, by rustup",
    unit: "cargo test",
    version: "`Cargo.toml`",
    libraries: "`cargo add NAME`; crates that want a library of C, threads or an async runtime do not run in the sandbox",
    ignored: &["/target"],
    setup: "",
};
const PYTHON: Ecosystem = Ecosystem {
    title: "Python",
    sdk: "python",
    templates: "python/template",
    needs: "Python 3.11 or newer",
    unit: "python3 -m unittest",
    version: "`Package(...)`",
    libraries: "write them into `requirements.txt`, pure Python only; `lockgate package build` installs them into `deps`",
    ignored: &["deps", "__pycache__", ".venv"],
    setup: PYTHON_ON_CI,
};
const SCRIPT: Ecosystem = Ecosystem {
    title: "JavaScript",
    sdk: "js",
    templates: "js/template/js",
    needs: "Node 20 or newer, with npm",
    unit: "npm install && npm test",
    version: "`definePackage(...)`",
    libraries: "`npm install --save-dev NAME`; modules of Node itself (`fs`, `net`) do not exist in the sandbox",
    ignored: &["node_modules"],
    setup: "      - uses: actions/setup-node@v4\n        with: { node-version: 22 }\n",
};
const GO: Ecosystem = Ecosystem {
    title: "Go",
    sdk: "go",
    templates: "go/template",
    needs: "Go 1.21 or newer, and Python 3.11 or newer, which fetches a tool (and Go, if there is none)",
    unit: "go test ./...",
    version: "`lockgate.Package{...}`",
    libraries: "`go get NAME`; cgo, and what needs an operating system of its own, does not run in the sandbox",
    ignored: &[],
    setup: "      - uses: actions/setup-go@v5\n        with: { go-version: stable }\n",
};
const C: Ecosystem = Ecosystem {
    title: "C",
    sdk: "c",
    templates: "c/template/c",
    needs: "Python 3.11 or newer, which fetches the compiler; `make` and a compiler of this machine for unit tests",
    unit: "make test",
    version: "`lockgate_package`",
    libraries: "copy their sources into `src`; there are no threads and no C++ exceptions in the sandbox",
    ignored: &[],
    setup: PYTHON_ON_CI,
};

impl Lang {
    const fn ecosystem(self) -> Ecosystem {
        match self {
            Self::Rust => RUST,
            Self::Python => PYTHON,
            Self::Js => SCRIPT,
            Self::Ts => Ecosystem { title: "TypeScript", templates: "js/template/ts", ..SCRIPT },
            Self::Go => GO,
            Self::C => C,
            Self::Cpp => Ecosystem { title: "C++", templates: "c/template/cpp", ..C },
        }
    }
}

/// Makes a project.
pub(super) fn run(options: &Options, screen: &mut Screen) -> Result<(), Failure> {
    let names = Names::new(&options.name, options.kind.word()).map_err(Failure::Usage)?;
    let folder = options.dir.clone().unwrap_or_else(|| PathBuf::from(&options.name));
    if let Some(there) = occupant(&folder) {
        let message = format!("{} is not empty: {there} is in it", folder.display());
        return Err(Failure::build(message, Some("choose another NAME, or another folder with --dir")));
    }
    let about = options.lang.ecosystem();
    sdk::put(&folder.join(sdk::FOLDER), about.sdk)?;
    let template = format!("{}/{}", about.templates, options.kind.word());
    for file in sdk::template(&template)? {
        let path = folder.join(names.put_into(&file.path.to_string_lossy()));
        let text = String::from_utf8(file.bytes).map_err(|error| Failure::Invalid(format!("{template}: {error}")))?;
        sdk::write(
            &path,
            &Carried { path: path.clone(), bytes: own(&names.put_into(&text)).into_bytes(), mode: file.mode },
        )?;
    }
    for (path, text) in around(&about, options) {
        let bytes = text.into_bytes();
        sdk::write(&folder.join(path), &Carried { path: path.into(), bytes, mode: 0o644 })?;
    }
    let shown = clean(&folder.display().to_string());
    screen.tell(&format!(
        "{shown}: a {} in {}\nnext:\n  cd {shown}\n  {}    # its unit test, on this machine\n  lockgate package build\n  \
         lockgate package push .",
        options.kind.word(),
        about.title,
        about.unit,
    ))
}

/// Something in a folder that a project would be mixed up with.
fn occupant(folder: &Path) -> Option<String> {
    if folder.is_file() {
        return Some("a file".to_owned());
    }
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.map(|name| name.to_string_lossy().into_owned()).find(|name| name != sdk::FOLDER && name != ".git")
}

/// Where templates in the archive name the SDK above them, a project names its own.
fn own(text: &str) -> String {
    let folder = format!("./{}", sdk::FOLDER);
    text.replace("../../..", &folder).replace("../..", &folder)
}

/// The files that are the same for every language but for its words.
fn around(about: &Ecosystem, options: &Options) -> [(&'static str, String); 3] {
    let filled = |text: &str| {
        let words = [
            ("{name}", options.name.as_str()),
            ("{kind}", options.kind.word()),
            ("{language}", about.title),
            ("{needs}", about.needs),
            ("{unit}", about.unit),
            ("{where}", about.version),
            ("{libraries}", about.libraries),
            ("{setup}", about.setup),
            ("{version}", env!("CARGO_PKG_VERSION")),
        ];
        words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word, value))
    };
    let ignored = [sdk::FOLDER, "dist"].iter().chain(about.ignored).map(|line| format!("{line}\n")).collect();
    [("README.md", filled(README)), (".github/workflows/ci.yml", filled(CI)), (".gitignore", ignored)]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::cli::screen::Format;

    fn made(lang: Lang, kind: Kind, name: &str) -> (tempfile::TempDir, PathBuf, Result<(), Failure>) {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("p");
        let options = Options { lang, kind, name: name.to_owned(), dir: Some(folder.clone()) };
        let outcome = run(&options, &mut Screen::new(Format::Json));
        (dir, folder, outcome)
    }

    #[test]
    fn every_language_and_kind_is_a_whole_project_with_its_own_names() {
        for lang in Lang::value_variants() {
            for kind in Kind::value_variants() {
                let (_dir, folder, outcome) = made(*lang, *kind, "big-orders");
                outcome.unwrap();
                for file in ["README.md", ".github/workflows/ci.yml", ".gitignore", sdk::FOLDER] {
                    assert!(folder.join(file).exists(), "{lang:?} {kind:?}: {file}");
                }
                let texts = all_texts(&folder);
                let own: String = texts.iter().map(|(_, text)| text.as_str()).collect();
                assert!(own.contains("com.example.BigOrders"), "{lang:?} {kind:?}");
                for (path, text) in &texts {
                    let left = [
                        "my-so", "my_so", "MySo", "my-si", "my_si", "MySi", "my-tr", "MyTr", "../..", "{name}",
                        "{unit}",
                    ];
                    for word in left {
                        assert!(!text.contains(word) && !path.contains(word), "{lang:?} {kind:?} {path}: {word}");
                    }
                }
                assert!(
                    texts.iter().any(|(path, _)| path.contains("test")) || *lang == Lang::Rust,
                    "{lang:?} {kind:?}: a unit test"
                );
            }
        }
    }

    fn all_texts(folder: &Path) -> Vec<(String, String)> {
        let (mut texts, mut places) = (Vec::new(), vec![folder.to_owned()]);
        while let Some(place) = places.pop() {
            for entry in fs::read_dir(place).unwrap() {
                let path = entry.unwrap().path();
                if path.ends_with(sdk::FOLDER) {
                } else if path.is_dir() {
                    places.push(path);
                } else {
                    texts.push((
                        path.to_string_lossy().replace(&*folder.to_string_lossy(), ""),
                        fs::read_to_string(&path).unwrap(),
                    ));
                }
            }
        }
        texts
    }

    #[test]
    fn a_folder_that_holds_something_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("mine.txt"), "mine").unwrap();
        let folder = Some(dir.path().to_owned());
        let options = Options { lang: Lang::C, kind: Kind::Sink, name: "x".to_owned(), dir: folder };
        let failure = run(&options, &mut Screen::new(Format::Json)).unwrap_err();
        assert!(failure.to_string().contains("mine.txt"), "{failure}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_bad_name_writes_nothing() {
        let (_dir, folder, outcome) = made(Lang::Rust, Kind::Sink, "My Sink");
        assert!(matches!(outcome, Err(Failure::Usage(_))) && !folder.exists());
    }
}
