//! What one instance of a component sees: its variables, its folders, clocks, random numbers and its output. No
//! environment, no arguments, no network, no outgoing HTTP. The database is in [`crate::postgres`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail, ensure};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{DirPerms, FilePerms, HostWallClock, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::body::HyperOutgoingBody;
use wasmtime_wasi_http::types::{HostFutureIncomingResponse, OutgoingRequestConfig};
use wasmtime_wasi_http::{HttpResult, WasiHttpCtx, WasiHttpView};

use crate::bindings::fermyon::spin::variables;
use crate::manifest::{Component, Mount};
use crate::outbound::AllowedHosts;
use crate::postgres::Pools;
use crate::variables::{Variables, why_invalid};

/// What the command line says about all instances.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// Drops what components print.
    pub quiet: bool,
    /// How many seconds the clock that components see is ahead of this machine's; behind when negative.
    pub clock_ahead: i64,
    /// Stops every instance when so many of its statements are done, as a trap in the middle of a request would.
    pub trap_after_statement: Option<u32>,
}

/// What all instances of one component share.
pub struct Environment {
    /// The component's id.
    pub id: String,
    /// The only servers that it may reach.
    pub allowed_hosts: AllowedHosts,
    /// The connections of the process.
    pub pools: Arc<Pools>,
    variables: BTreeMap<String, String>,
    mounts: Vec<Mount>,
    settings: Settings,
}

impl Environment {
    /// Expands the templates of a component, and checks its names and folders.
    pub fn new(
        id: &str,
        manifest: Component,
        values: &Variables,
        pools: Arc<Pools>,
        settings: Settings,
    ) -> Result<Self> {
        let hosts: Result<Vec<_>> =
            manifest.allowed_outbound_hosts.iter().map(|host| values.expand(host)).collect();
        let mut variables = BTreeMap::new();
        for (name, template) in manifest.variables {
            if let Some(why) = why_invalid(&name) {
                bail!("the variable {name:?} {why}");
            }
            variables.insert(name, values.expand(&template)?);
        }
        for Mount { source, destination } in &manifest.files {
            ensure!(source.is_dir(), "files: {} is not a folder", source.display());
            ensure!(destination.starts_with('/'), "files: {destination:?} does not start with /");
        }
        let allowed_hosts = AllowedHosts::parse(hosts?)?;
        Ok(Self { id: id.to_owned(), allowed_hosts, pools, variables, mounts: manifest.files, settings })
    }
}

/// The state of one instance: it lives for one request.
pub struct Guest {
    /// What it shares with the other instances of its component.
    pub component: Arc<Environment>,
    /// Everything that the guest has a handle of. With it, its connections go back to their pool.
    pub table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    statements_done: u32,
}

impl Guest {
    /// The state of a fresh instance.
    pub fn new(component: &Arc<Environment>) -> Result<Self> {
        let mut wasi = WasiCtx::builder();
        wasi.allow_tcp(false).allow_udp(false);
        let Settings { quiet, clock_ahead, .. } = component.settings;
        wasi.wall_clock(WallClock { ahead: clock_ahead });
        if !quiet {
            wasi.inherit_stdout().inherit_stderr();
        }
        for Mount { source, destination } in &component.mounts {
            wasi.preopened_dir(source, destination, DirPerms::READ, FilePerms::READ)?;
        }
        let (component, wasi) = (Arc::clone(component), wasi.build());
        Ok(Self {
            component,
            table: ResourceTable::new(),
            wasi,
            http: WasiHttpCtx::new(),
            statements_done: 0,
        })
    }

    /// Called when a statement is done.
    ///
    /// # Errors
    /// Traps the guest where the settings say so.
    pub fn statement_is_done(&mut self) -> wasmtime::Result<()> {
        self.statements_done += 1;
        let is_over = self.component.settings.trap_after_statement == Some(self.statements_done);
        wasmtime::ensure!(
            !is_over,
            "stopped after its statement {}, as --trap-after-statement says",
            self.statements_done
        );
        Ok(())
    }
}

/// This machine's clock, or one that is wrong by so many seconds, as a node's may be.
struct WallClock {
    ahead: i64,
}

#[expect(clippy::disallowed_methods, reason = "This is where components get their clock from.")]
impl HostWallClock for WallClock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let off = Duration::from_secs(self.ahead.unsigned_abs());
        if self.ahead < 0 { now.saturating_sub(off) } else { now + off }
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn ctx(&mut self) -> &mut WasiHttpCtx {
        &mut self.http
    }

    fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    fn send_request(
        &mut self,
        _: hyper::Request<HyperOutgoingBody>,
        _: OutgoingRequestConfig,
    ) -> HttpResult<HostFutureIncomingResponse> {
        Err(ErrorCode::HttpRequestDenied.into())
    }
}

impl variables::Host for Guest {
    async fn get(&mut self, name: String) -> Result<String, variables::Error> {
        if let Some(why) = why_invalid(&name) {
            return Err(variables::Error::InvalidName(format!("{name:?}: {why}")));
        }
        let Environment { id, variables, .. } = &*self.component;
        let undefined = || variables::Error::Undefined(format!("no variable for {id:?}.{name:?}"));
        variables.get(&name).cloned().ok_or_else(undefined)
    }
}
