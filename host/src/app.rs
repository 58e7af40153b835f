//! The application, ready to be asked: its components compiled, linked and pre-instantiated, its routes.
//!
//! All that can be wrong with a manifest, a variable or a component is found here, before the first request.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{
    Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store,
};
use wasmtime_wasi_http::bindings::{Proxy, ProxyPre};

use crate::bindings::Spin;
use crate::guest::{Environment, Guest, Settings};
use crate::manifest::{self, Manifest};
use crate::postgres::Pools;
use crate::routes::Routes;
use crate::variables::{Variables, environment};

/// Spin's own figures for the pooling allocator: so many instances at once, and no queue behind them.
const MAX_INSTANCES: u32 = 1_000;
const KEEP_RESIDENT: usize = 2 << 20;

/// The application of one manifest.
pub struct App {
    /// Which route belongs to which component.
    pub routes: Routes,
    engine: Engine,
    components: BTreeMap<String, (ProxyPre<Guest>, Arc<Environment>)>,
}

impl App {
    /// Reads the manifest and makes everything that it names ready.
    pub fn load(manifest: &Path, settings: Settings) -> Result<Self> {
        let manifest = Manifest::load(manifest)?;
        let routes = Routes::new(manifest.routes())?;
        let values = Variables::resolve(&manifest.variables, environment(Path::new(".env"))?)?;
        let engine = Engine::new(&engine_config())?;
        let linker = linker(&engine)?;
        let pools = Arc::new(Pools::default());
        let component = |(id, component): (String, manifest::Component)| {
            let name = format!("component {id}");
            let code = load(&engine, &linker, &component.source)
                .map_err(anyhow::Error::from)
                .context(name.clone())?;
            let environment =
                Environment::new(&id, component, &values, Arc::clone(&pools), settings).context(name)?;
            Ok((id, (code, Arc::new(environment))))
        };
        let components = manifest.components.into_iter().map(component).collect::<Result<_>>()?;
        Ok(Self { routes, engine, components })
    }

    /// A fresh instance of a component, with its store.
    pub async fn instantiate(&self, component: &str) -> Result<(Store<Guest>, Proxy)> {
        let (code, environment) = self.components.get(component).context("there is no such component")?;
        let mut store = Store::new(&self.engine, Guest::new(environment)?);
        let proxy = code.instantiate_async(&mut store).await?;
        Ok((store, proxy))
    }
}

fn engine_config() -> Config {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(MAX_INSTANCES)
        .total_core_instances(4 * MAX_INSTANCES)
        .total_memories(MAX_INSTANCES)
        .total_tables(2 * MAX_INSTANCES)
        .total_stacks(MAX_INSTANCES)
        .max_memory_size(4 << 30)
        .linear_memory_keep_resident(KEEP_RESIDENT);
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool)).cache(cache());
    config
}

/// Compiled components are kept beside the host, so `cargo clean` removes them. Without a cache, only the start is slower.
fn cache() -> Option<Cache> {
    let mut config = CacheConfig::new();
    config.with_directory(env::current_exe().ok()?.parent()?.join("host-cache"));
    Cache::new(config).ok()
}

fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::add_only_http_to_linker_async(&mut linker)?;
    Spin::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |guest| guest)?;
    Ok(linker)
}

/// An import that the linker does not have is named in the error.
fn load(engine: &Engine, linker: &Linker<Guest>, source: &Path) -> wasmtime::Result<ProxyPre<Guest>> {
    ProxyPre::new(linker.instantiate_pre(&Component::from_file(engine, source)?)?)
}
