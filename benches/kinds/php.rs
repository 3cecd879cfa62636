//! The kind of handler `fastcgi`: calls a script in php-fpm.

use std::error::Error;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::{OtherServers, line_method, source_path, write_definition};
use crate::drive::{Process, SERVER_CORE, Server};

/// The number of processes of a pool of php-fpm, and of rulebook's connections to it.
const PROCESSES: u32 = 4;

/// The script that handles calls.
const SCRIPT: &str = "line.php";

/// Returns the program php-fpm; `None` if it is not installed. On Debian, its name contains its version.
pub fn program() -> Option<PathBuf> {
    let folders = ["/usr/sbin", "/usr/local/sbin", "/usr/bin"].into_iter().filter_map(|path| fs::read_dir(path).ok());
    let paths = folders.flatten().filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("php-fpm"))).max()
}

/// Compares the script with nginx. Each server has a pool of processes, because a kept connection occupies a process.
/// All processes run on the core of the compared servers, because they do most of the work of a request.
pub fn start_nginx(folder: &Path) -> Result<OtherServers, Box<dyn Error>> {
    let sockets = ["rulebook", "nginx"].map(|pool| folder.join(format!("{pool}.sock")));
    let configuration = folder.join("php-fpm.conf");
    let mut text = format!("[global]\nerror_log = {}\nlog_level = error\n", folder.join("php-fpm.log").display());
    for (index, socket) in sockets.iter().enumerate() {
        let listen = socket.display();
        text += &format!("[pool{index}]\nlisten = {listen}\nuser = root\npm = static\npm.max_children = {PROCESSES}\n");
    }
    fs::write(&configuration, text)?;
    let mut command = Command::new(program().ok_or("php-fpm is not installed")?);
    command.args(["--nodaemonize", "--fpm-config"]).arg(&configuration);
    if rustix::process::geteuid().is_root() {
        command.arg("--allow-to-run-as-root");
    }
    let mut process = Process::spawn("php-fpm", SERVER_CORE, &command)?;
    process.wait_until(|| sockets.iter().all(|socket| UnixStream::connect(socket).is_ok()))?;

    let [address, nginx_address] = sockets.map(|socket| format!("unix:{}", socket.display()));
    let script = source_path(SCRIPT);
    let services = json!({
        "line": { "GET": line_method(|name| format!("GET@{name}"), &json!({ "fastcgi": address, "script": script })) },
    });
    write_definition(folder, &json!({ "fastcgi": { "connections": PROCESSES } }), &services)?;
    let locations = format!(
        "location = /line {{
           fastcgi_pass {nginx_address};
           fastcgi_param SCRIPT_FILENAME {script}; fastcgi_param SCRIPT_NAME /{SCRIPT};
           fastcgi_param QUERY_STRING $query_string; fastcgi_param REQUEST_METHOD $request_method;
           fastcgi_param CONTENT_TYPE $content_type; fastcgi_param CONTENT_LENGTH $content_length;
           fastcgi_param REQUEST_URI $request_uri; fastcgi_param SERVER_PROTOCOL $server_protocol;
           fastcgi_param REMOTE_ADDR $remote_addr; fastcgi_param GATEWAY_INTERFACE CGI/1.1;
         }}"
    );
    Ok(OtherServers { compared: Server::start_nginx(folder, "", &locations)?, shared: Some(process) })
}
