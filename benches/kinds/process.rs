//! The kind of handler `process`: calls a function in Python.

use std::error::Error;
use std::path::Path;

use serde_json::json;

use super::{OtherServers, line_method, python, source_path, write_definition};

/// The number of calls that the worker gets at the same time. It handles them one after the other; with several calls
/// it need not wait for the next one.
const CONCURRENCY: u32 = 32;

/// Compares the function with FastAPI. Both servers have one worker.
pub fn start_fastapi(folder: &Path) -> Result<OtherServers, Box<dyn Error>> {
    let handler = json!({ "process": [python::required_interpreter()?, source_path("process_lines.py")] });
    let services = json!({
        "line/{article_id}/{no_line}": { "GET": line_method(|name| format!("{{{name}}}"), &handler) },
    });
    let sdk = concat!(env!("CARGO_MANIFEST_DIR"), "/sdk/python");
    let environment = json!({ "PYTHONPATH": sdk, "PYTHONDONTWRITEBYTECODE": "1" });
    let shared = json!({ "workers": 1, "concurrency": CONCURRENCY, "environment": environment });
    write_definition(folder, &json!({ "process": shared }), &services)?;
    Ok(OtherServers { compared: python::start_uvicorn("fastapi_lines", &[])?, shared: None })
}
