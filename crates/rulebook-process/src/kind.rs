//! The kind of handler `process`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rulebook::handler_kind::{
    CheckContext, CheckFuture, CompiledHandler, HandledMethod, HandlerError, HandlerKind, Measure, ReadinessCheck,
    StartFuture,
};
use rulebook::model::Api;

use crate::command::is_program_missing;
use crate::handler::MethodHandler;
use crate::pool::Pool;
use crate::settings::{MethodSettings, NAMES, PROCESS, PoolSettings};
use crate::supervisor::Supervisor;

/// The kind of handler `process`: worker processes handle the calls of methods.
///
/// The processes run from [`HandlerKind::start`] until the last handler is dropped, together with the API. This waits
/// until all processes have ended: they have the time in the setting `stop_timeout` to do so, and are killed after it.
#[derive(Debug, Default)]
pub struct ProcessKind {
    pools: Mutex<Vec<Arc<Pool>>>,
    /// The thread that runs the workers, after the start. Each handler keeps it.
    supervisor: Arc<OnceLock<Supervisor>>,
}

impl ProcessKind {
    /// Creates the kind, for one API.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock_pools(&self) -> MutexGuard<'_, Vec<Arc<Pool>>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HandlerKind for ProcessKind {
    fn name(&self) -> &str {
        PROCESS
    }

    fn settings(&self) -> &[&str] {
        NAMES.handler
    }

    fn compile(&self, method: &HandledMethod<'_>) -> Result<Arc<dyn CompiledHandler>, Vec<HandlerError>> {
        let settings = MethodSettings::read(method)?;
        let mut pools = self.lock_pools();
        let known = pools.iter().find(|pool| pool.settings == settings.pool).cloned();
        let pool = known.unwrap_or_else(|| {
            let pool = Arc::new(Pool::new(settings.pool.clone(), method_ids(method.api)));
            pools.push(Arc::clone(&pool));
            pool
        });
        pool.start.add_method(method.method, method.setting(PROCESS).span);
        Ok(Arc::new(MethodHandler::new(method.method, settings, pool, Arc::clone(&self.supervisor))))
    }

    fn readiness_checks(&self) -> Vec<ReadinessCheck> {
        let pools = self.lock_pools().clone();
        let check = move || {
            let stopped = pools.iter().find(|pool| !pool.is_available()).map(|pool| pool.name().to_owned());
            std::future::ready(stopped.map_or(Ok(()), |command| Err(format!("no worker is ready: {command}"))))
        };
        vec![ReadinessCheck::new(PROCESS, check)]
    }

    fn measure(&self) -> Option<Measure> {
        let pools = self.lock_pools().clone();
        Some(Box::new(move || (1..).zip(&pools).flat_map(|(number, pool)| pool.measure(number)).collect()))
    }

    fn source_files(&self) -> Vec<PathBuf> {
        let pools = self.lock_pools();
        let files = pools.iter().flat_map(|pool| {
            let PoolSettings { command, directory, .. } = &pool.settings;
            // The program is one file, or the interpreter of one.
            command.iter().map(|argument| directory.join(argument)).filter(|path| path.is_file())
        });
        files.collect()
    }

    fn start<'a>(&'a self, _: &'a Path) -> StartFuture<'a> {
        Box::pin(async move {
            let pools = self.lock_pools().clone();
            let supervisor = Supervisor::start(pools, usize::MAX).await?;
            // The engine starts a kind once.
            let _ = self.supervisor.set(supervisor);
            Ok(())
        })
    }

    /// Starts a worker of each pool, and compares its functions with the methods.
    fn check<'a>(&'a self, _: CheckContext<'a>) -> CheckFuture<'a> {
        Box::pin(async move {
            let pools = self.lock_pools().clone();
            let (missing, pools): (Vec<_>, Vec<_>) =
                pools.into_iter().partition(|pool| is_program_missing(&pool.settings));
            // The workers end with the supervisor.
            drop(Supervisor::start(pools, 1).await?);
            Ok(missing.iter().map(|pool| pool.start.unchecked()).collect())
        })
    }
}

/// Returns the ids of all methods of an API.
fn method_ids(api: &Api) -> HashSet<String> {
    let services = api.services();
    services.flat_map(|service| &service.methods).map(|method| method.id.clone()).collect()
}
