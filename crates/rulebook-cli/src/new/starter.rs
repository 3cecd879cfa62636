//! The files of new projects, by what their handlers are written in.

use clap::ValueEnum;
use rulebook_process::sdk;

/// The path and the text of a file. The text contains the placeholders that `project.rs` fills.
pub(super) type StarterFile = (&'static str, &'static str);

/// What the handlers of a new project are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum HandlerLanguage {
    /// Rust: a Cargo project.
    Rust,
    /// SQL statements in the definition, on a database of SQLite.
    Sql,
    /// Python functions.
    Python,
    /// JavaScript functions for Node.
    Node,
    /// PHP functions.
    Php,
    /// The PHP code of an imported project, which php-fpm runs.
    #[value(name = "fastcgi")]
    FastCgi,
}

/// The definition of the module `greeting`.
const GREETING: StarterFile = ("api/greeting.json", include_str!("templates/shared/api/greeting.json"));
/// The tests of this module.
const GREETING_TESTS: StarterFile = ("tests/greeting.json", include_str!("templates/shared/tests/greeting.json"));
/// The files that git ignores in a project without Rust.
const GITIGNORE: StarterFile = (".gitignore", include_str!("templates/shared/gitignore.in"));

const RUST: &[StarterFile] = &[
    (".gitignore", include_str!("templates/rust/gitignore.in")),
    ("Cargo.toml", include_str!("templates/rust/Cargo.toml.in")),
    ("README.md", include_str!("templates/rust/README.md.in")),
    ("api/app.json", include_str!("templates/rust/api/app.json")),
    GREETING,
    ("build.rs", include_str!("templates/rust/build.rs.in")),
    ("src/greeting.rs", include_str!("templates/rust/src/greeting.rs")),
    ("src/lib.rs", include_str!("templates/rust/src/lib.rs")),
    ("src/main.rs", include_str!("templates/rust/src/main.rs")),
    ("tests/greeting.rs", include_str!("templates/rust/tests/greeting.rs")),
];

const SQL: &[StarterFile] = &[
    GITIGNORE,
    ("README.md", include_str!("templates/sql/README.md.in")),
    ("api/app.json", include_str!("templates/sql/api/app.json")),
    ("api/note.json", include_str!("templates/sql/api/note.json")),
    ("migrations/1_note.sql", include_str!("templates/sql/migrations/1_note.sql")),
    ("tests/note.json", include_str!("templates/sql/tests/note.json")),
];

const PYTHON: &[StarterFile] = &[
    GITIGNORE,
    GREETING,
    GREETING_TESTS,
    ("README.md", include_str!("templates/python/README.md.in")),
    ("api/app.json", include_str!("templates/python/api/app.json")),
    ("handlers.py", include_str!("templates/python/handlers.py")),
];

const NODE: &[StarterFile] = &[
    GITIGNORE,
    GREETING,
    GREETING_TESTS,
    ("README.md", include_str!("templates/node/README.md.in")),
    ("api/app.json", include_str!("templates/node/api/app.json")),
    ("greeting.mjs", include_str!("templates/node/greeting.mjs")),
    ("handlers.mjs", include_str!("templates/node/handlers.mjs")),
];

const PHP: &[StarterFile] = &[
    GITIGNORE,
    GREETING,
    GREETING_TESTS,
    ("README.md", include_str!("templates/php/README.md.in")),
    ("api/app.json", include_str!("templates/php/api/app.json")),
    ("greeting.php", include_str!("templates/php/greeting.php")),
    ("handlers.php", include_str!("templates/php/handlers.php")),
];

impl HandlerLanguage {
    /// Returns the files of a new project.
    pub(super) fn files(self) -> impl Iterator<Item = StarterFile> {
        let (files, sdk): (&[StarterFile], &[StarterFile]) = match self {
            Self::Rust => (RUST, &[]),
            Self::Sql => (SQL, &[]),
            Self::Python => (PYTHON, sdk::PYTHON),
            Self::Node => (NODE, sdk::NODE),
            Self::Php => (PHP, sdk::PHP),
            Self::FastCgi => (&[GITIGNORE], &[]),
        };
        files.iter().chain(sdk).copied()
    }

    /// Returns `true` if the tests of a new project are files for `rulebook test`.
    pub(super) fn has_test_files(self) -> bool {
        !matches!(self, Self::Rust | Self::FastCgi)
    }

    /// Returns the command that serves a new project.
    pub(super) fn serve_command(self) -> &'static str {
        match self {
            Self::Rust => "cargo run -- serve --watch",
            Self::Sql | Self::Python | Self::Node | Self::Php | Self::FastCgi => "rulebook serve --watch",
        }
    }
}
