//! Tests the errors that the Rust compiler reports for functions that cannot be handlers.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::SystemTime;

use tempfile::TempDir;

/// A program in which each function lacks one property that a handler needs.
const PROGRAM: &str = r#"
use rulebook::{ApiError, Args, Context, Module};

pub struct Plain;

async fn no_deserialize(_: Args<Plain>, _: Context) -> Result<(), ApiError> { Ok(()) }
async fn no_context(_: Args<()>) -> Result<(), ApiError> { Ok(()) }
async fn no_args(_: String, _: Context) -> Result<(), ApiError> { Ok(()) }
async fn no_serialize(_: Args<()>, _: Context) -> Result<Plain, ApiError> { Ok(Plain) }
async fn other_error(_: Args<()>, _: Context) -> Result<(), String> { Ok(()) }
fn not_async(_: Args<()>, _: Context) -> Result<(), ApiError> { Ok(()) }
async fn not_send(_: Args<()>, _: Context) -> Result<(), ApiError> {
    let shared = std::rc::Rc::new(());
    std::future::ready(()).await;
    Ok(*shared)
}

pub fn module() -> Module {
    let module = Module::new("site");
    let module = module.get("/a", no_deserialize);
    let module = module.get("/b", no_context);
    let module = module.get("/c", no_args);
    let module = module.get("/d", no_serialize);
    let module = module.get("/e", other_error);
    let module = module.get("/f", not_async);
    let module = module.get("/g", not_send);
    module.get("/h", 5)
}
"#;

/// The first line of each expected compiler error, in the order of the functions in the program.
const EXPECTED_ERRORS: [&str; 8] = [
    "the trait bound `Plain: serde::Deserialize<'de>` is not satisfied",
    "function is expected to take 2 arguments, but it takes 1 argument",
    "type mismatch in function arguments",
    "the trait bound `Plain: serde::Serialize` is not satisfied",
    "to be a future that resolves to `Result<_, ApiError>`, but it resolves to `Result<(), String>`",
    "`Result<(), ApiError>` is not a future",
    "future cannot be sent between threads safely",
    "`{integer}` cannot be the handler of a method",
];

/// Returns the path of the compiled library `rulebook`: the newest `.rlib` file of the library in the folder of this
/// test program.
fn rulebook_library_path() -> PathBuf {
    let folder = env::current_exe().unwrap().parent().unwrap().to_owned();
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let is_it = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with("librulebook-") && name.ends_with(".rlib")
    };
    let changed =
        |path: &PathBuf| fs::metadata(path).and_then(|file| file.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    files.filter(is_it).max_by_key(changed).unwrap()
}

#[test]
fn compiler_errors_say_why_a_function_cannot_be_a_handler() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("program.rs"), PROGRAM).unwrap();
    let library = rulebook_library_path();
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.current_dir(folder.path()).args(["program.rs", "--edition=2024", "--crate-type=lib", "--emit=metadata"]);
    rustc.arg("--extern").arg(format!("rulebook={}", library.display()));
    rustc.arg("-L").arg(format!("dependency={}", library.parent().unwrap().display()));
    let output = rustc.output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let errors: Vec<_> = text.lines().filter(|line| line.starts_with("error") && line.contains(": ")).collect();
    for (index, expected) in EXPECTED_ERRORS.iter().enumerate() {
        assert!(errors.get(index).is_some_and(|error| error.contains(expected)), "{expected}\n{text}");
    }
    for note in [
        "for local types consider adding `#[derive(serde::Deserialize)]` to your `Plain` type",
        "expected function signature `fn(rulebook::Args<_>, rulebook::Context) -> _`",
        "has type `Rc<()>` which is not `Send`",
        "a handler is an `async fn(Args<T>, Context) -> Result<U, ApiError>`",
    ] {
        assert!(text.contains(note), "{note}\n{text}");
    }
}
