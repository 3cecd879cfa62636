//! Passes the sockets on which the server listens from one process to the next, so that no client is refused while the
//! server is replaced: from a service manager, with the protocol of systemd (`sd_listen_fds(3)`), and on the signal
//! SIGUSR2 to a new process of the program.

pub(super) use process::{inherited_sockets, is_successor, start_successor, stop_predecessor};

#[cfg(unix)]
mod process {
    use std::io;
    use std::net::TcpListener;
    use std::process::Command;
    use std::thread;

    use command_fds::{CommandFdExt, FdMapping};
    use listenfd::ListenFd;
    use rustix::process::{Signal, getppid, kill_process};

    /// The variable with the process id of the server that has started this process as its successor.
    const PREDECESSOR_VARIABLE: &str = "RULEBOOK_PREDECESSOR";
    /// The number of the first socket in a new process (`SD_LISTEN_FDS_START`).
    const FIRST_SOCKET: i32 = 3;

    /// Returns the sockets that the process which started this one has opened, in their order; none if it has opened
    /// none.
    pub(in super::super) fn inherited_sockets() -> io::Result<Vec<TcpListener>> {
        let mut inherited = ListenFd::from_env();
        (0..inherited.len()).filter_map(|index| inherited.take_tcp_listener(index).transpose()).collect()
    }

    /// Returns `true` if a server has started this process, to pass its sockets on and to stop when this one listens.
    pub(in super::super) fn is_successor() -> bool {
        let parent = getppid().map(|id| id.as_raw_nonzero().to_string());
        parent.is_some() && std::env::var(PREDECESSOR_VARIABLE).ok() == parent
    }

    /// Asks the server that has started this process to stop.
    pub(in super::super) fn stop_predecessor() {
        if let Some(predecessor) = getppid().filter(|_| is_successor())
            && let Err(error) = kill_process(predecessor, Signal::TERM)
        {
            log::error!("the previous server cannot be stopped: {error}");
        }
    }

    /// Starts the program again, with the same arguments and these sockets.
    pub(in super::super) fn start_successor(sockets: Vec<TcpListener>) -> io::Result<()> {
        let mut arguments = std::env::args_os();
        let program = arguments.next().ok_or_else(|| io::Error::other("the name of the program is unknown"))?;
        let mut command = Command::new(program);
        command.args(arguments).env("LISTEN_FDS", sockets.len().to_string()).env_remove("LISTEN_PID");
        command.env(PREDECESSOR_VARIABLE, std::process::id().to_string());
        let mapping = |(child_fd, socket): (_, TcpListener)| FdMapping { parent_fd: socket.into(), child_fd };
        command.fd_mappings((FIRST_SOCKET..).zip(sockets).map(mapping).collect()).map_err(io::Error::other)?;
        let mut successor = command.spawn()?;
        log::info!("process {} takes over", successor.id());
        // This process ends before its successor, unless the successor cannot start.
        thread::Builder::new().name("successor".to_owned()).spawn(move || match successor.wait() {
            Ok(status) => log::error!("the new process has ended ({status}), so that this one continues"),
            Err(error) => log::error!("the new process cannot be observed: {error}"),
        })?;
        Ok(())
    }
}

/// Systems on which sockets cannot be passed on.
#[cfg(not(unix))]
mod process {
    use std::io;
    use std::net::TcpListener;

    pub(in super::super) fn inherited_sockets() -> io::Result<Vec<TcpListener>> {
        Ok(Vec::new())
    }

    pub(in super::super) fn is_successor() -> bool {
        false
    }

    pub(in super::super) fn stop_predecessor() {}

    pub(in super::super) fn start_successor(_: Vec<TcpListener>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
