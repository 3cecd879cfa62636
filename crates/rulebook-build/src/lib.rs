//! Generates the Rust types and handlers of an API from its definition, in the build script of a program.
//!
//! The build script names the folder of the definition:
//!
//! ```no_run
//! // build.rs
//! fn main() -> std::process::ExitCode {
//!     rulebook_build::generate("api")
//! }
//! ```
//!
//! The program includes the generated code. It has a Rust module for each API module, here `article`, with the
//! arguments, outputs and errors of each method, a type for each schema, and the struct `Handlers` with a field for
//! each method:
//!
//! ```ignore
//! mod api {
//!     include!(concat!(env!("OUT_DIR"), "/api.rs"));
//! }
//!
//! use api::article::{Handlers, ReadArguments, ReadError, ReadOutputs};
//!
//! pub fn module() -> rulebook::Module {
//!     Handlers { read: read_article }.into_module()
//! }
//!
//! async fn read_article(arguments: ReadArguments, _: rulebook::Context) -> Result<ReadOutputs, ReadError> {
//!     let title = find_title(arguments.article_id).ok_or(ReadError::NoSuchArticle)?;
//!     Ok(ReadOutputs { title })
//! }
//! ```
//!
//! A method without a handler, a handler with other arguments or outputs than the definition declares, and an error
//! that it does not declare are errors of the compiler. cargo runs the build script again when a file of the definition
//! changes.

mod code;
pub mod identifier;
mod types;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::{env, fs};

use rulebook_model::call::{TypeMismatch, Value};
use rulebook_model::compile::{ProgramExtensions, check_definition};
use rulebook_model::definition;
use rulebook_model::types::{ArgumentError, Check, Type, TypeArguments, TypeExpr};
use serde_json::{Value as Json, json};

pub use code::{Purpose, Signature, module_names, rust_code, signatures};

/// The file in the build script's output folder that contains the generated code.
pub const FILE_NAME: &str = "api.rs";

/// Reads the definition in the folder `folder`, and writes the Rust code of its API to the file `api.rs` in the output
/// folder of the build script. `folder` is relative to the folder of the package.
///
/// If the definition has errors, the build fails with the errors. Each shows the file, the line, and what to do.
#[must_use]
pub fn generate(folder: impl Into<PathBuf>) -> ExitCode {
    Build::new(folder).generate()
}

/// The generation of the Rust code of an API whose definition uses types, envelopes or formats of the program.
///
/// ```no_run
/// // build.rs
/// fn main() -> std::process::ExitCode {
///     rulebook_build::Build::new("api").custom_type("even").generate()
/// }
/// ```
pub struct Build {
    folder: PathBuf,
    extensions: ProgramExtensions,
}

impl Build {
    /// Creates the generation from the definition in the folder `folder`, which is relative to the folder of the
    /// package.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), extensions: ProgramExtensions::default() }
    }

    /// Adds the name of a type that the program adds with `Rulebook::add_type`. Values of this type have the Rust type
    /// `serde_json::Value` in the generated code.
    #[must_use]
    pub fn custom_type(mut self, name: impl Into<String>) -> Self {
        self.extensions.types.push(Arc::new(CustomType(name.into())));
        self
    }

    /// Replaces the types, envelopes, formats and functions of the program by these, which must be in a crate that the
    /// build script depends on. The Rust types of values are then found from the types of the program.
    #[must_use]
    pub fn with_extensions(mut self, extensions: ProgramExtensions) -> Self {
        self.extensions = extensions;
        self
    }

    /// Writes the code, like [`generate`].
    #[must_use]
    #[expect(clippy::print_stdout, reason = "build scripts print instructions for cargo")]
    pub fn generate(self) -> ExitCode {
        // cargo compares the files of the folder with the time of the last build.
        println!("cargo::rerun-if-changed={}", self.folder.display());
        match self.write_code() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        }
    }

    fn write_code(self) -> Result<(), String> {
        let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: call this function in a build script")?;
        write_file(&self.code()?, &PathBuf::from(out).join(FILE_NAME))
    }

    /// Returns the code.
    ///
    /// # Errors
    /// Returns the text of all errors of the definition.
    pub fn code(self) -> Result<String, String> {
        let loaded = definition::load(&self.folder);
        let checked = check_definition(loaded, self.extensions).map_err(|report| report.to_string())?;
        Ok(rust_code(&checked.api, Purpose::Handlers))
    }
}

/// Writes the code. A file that has not changed keeps its time, so that cargo does not build the program again.
fn write_file(code: &str, file: &Path) -> Result<(), String> {
    if fs::read_to_string(file).is_ok_and(|existing| existing == code) {
        return Ok(());
    }
    fs::write(file, code).map_err(|error| format!("{}: {error}", file.display()))
}

/// A type that the program adds with `Rulebook::add_type`. Its values are JSON values in the generated code.
#[derive(Debug, Clone)]
struct CustomType(String);

/// The attributes that types can have. The program itself checks which of them its type has.
const ATTRIBUTES: [&str; 8] = ["min", "max", "regex", "format", "separator", "range", "ext", "params"];

impl Type for CustomType {
    fn name(&self) -> &str {
        &self.0
    }

    fn info(&self) -> &'static str {
        "A type of the program."
    }

    fn attributes(&self) -> &[&str] {
        &ATTRIBUTES
    }

    fn compile(&self, _: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
        Ok(Arc::new(self.clone()))
    }
}

/// Every value is valid.
impl Check for CustomType {
    fn check(&self, _: &mut Value<'_>) -> Result<(), TypeMismatch> {
        Ok(())
    }

    fn expected(&self) -> std::borrow::Cow<'static, str> {
        "a value of the program's type".into()
    }

    fn schema(&self) -> Json {
        json!({})
    }

    fn type_expr(&self) -> TypeExpr {
        TypeExpr::term(self.0.clone())
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        Vec::new()
    }
}
