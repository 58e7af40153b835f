//! Runs our `spin.toml` where `spin` is not installed: a test bed with just the interfaces that our components import,
//! each as Spin 3.6 has it. It gives a guest nothing that Spin lacks, and refuses at the start, by name, what it does not
//! know.
//!
//! This module owns the command line, the sign of readiness and the end; [`app`] what is started, [`server`] what runs.

mod app;
mod guest;
mod manifest;
mod outbound;
mod postgres;
mod routes;
mod server;
mod variables;

/// The interfaces of Spin, generated from the WIT of the spin-sdk package.
mod bindings {
    #![allow(missing_docs, clippy::all, reason = "generated")]
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}

use std::env;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::App;
use crate::guest::Settings;

const USAGE: &str = "usage: host [--manifest spin.toml] [--listen 127.0.0.1:3000] [--quiet]
            [--clock-ahead 0] [--trap-after-statement 1]
  --listen  also from SPIN_HTTP_LISTEN_ADDR; port 0 takes a free one
  --quiet   drops what components print
To test what a node's faults do to components:
  --clock-ahead           seconds by which their clock is wrong
  --trap-after-statement  stops each instance when so many of its statements are done";

fn main() -> ExitCode {
    let run = || -> Result<()> {
        let options = Options::parse(env::args().skip(1), env::var("SPIN_HTTP_LISTEN_ADDR").ok())?;
        let runtime = Runtime::new()?;
        let ended = runtime.block_on(run(options));
        // At once, as Spin: no request is waited for.
        runtime.shutdown_background();
        ended
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("host: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let serve = async {
        let app =
            tokio::task::spawn_blocking(move || App::load(&options.manifest, options.settings)).await??;
        let listener = TcpListener::bind(options.listen)
            .await
            .with_context(|| format!("cannot listen on {}", options.listen))?;
        let mut stdout = io::stdout();
        writeln!(stdout, "Serving http://{}", listener.local_addr()?)?;
        stdout.flush()?;
        server::serve(Arc::new(app), listener).await
    };
    tokio::select! {
        ended = serve => ended,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    }
}

#[derive(Debug)]
struct Options {
    manifest: PathBuf,
    listen: SocketAddr,
    settings: Settings,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>, listen: Option<String>) -> Result<Self> {
        let mut listen = listen.unwrap_or_else(|| "127.0.0.1:3000".to_owned());
        let mut manifest = PathBuf::from("spin.toml");
        let mut settings = Settings::default();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| anyhow!("{argument} needs a value\n{USAGE}"));
            match argument.as_str() {
                "--manifest" => manifest = value()?.into(),
                "--listen" => listen = value()?,
                "--quiet" => settings.quiet = true,
                "--clock-ahead" => settings.clock_ahead = value()?.parse().context(USAGE)?,
                "--trap-after-statement" => {
                    settings.trap_after_statement = Some(value()?.parse().context(USAGE)?);
                }
                _ => bail!("{argument:?} is no option\n{USAGE}"),
            }
        }
        let listen = listen.parse().with_context(|| format!("{listen:?} is no address and port\n{USAGE}"))?;
        Ok(Self { manifest, listen, settings })
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    fn parse(arguments: &[&str], environment: Option<&str>) -> Result<Options, String> {
        let arguments = arguments.iter().map(ToString::to_string);
        Options::parse(arguments, environment.map(str::to_owned)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_beats_the_environment() {
        assert_eq!(parse(&[], None).unwrap().listen.to_string(), "127.0.0.1:3000");
        assert_eq!(parse(&[], Some("127.0.0.1:1")).unwrap().listen.port(), 1);
        let options =
            parse(&["--quiet", "--listen", "[::1]:2", "--manifest", "a/b"], Some("127.0.0.1:1")).unwrap();
        assert_eq!((options.listen.port(), options.settings.quiet), (2, true));
        assert_eq!(options.manifest.to_str(), Some("a/b"));
    }

    #[test]
    fn a_wrong_command_line_is_refused_with_the_right_one() {
        for wrong in [
            ["--listen"].as_slice(),
            &["--listen", "localhost"],
            &["--clock-ahead", "soon"],
            &["--port", "1"],
            &["x"],
        ] {
            assert!(parse(wrong, None).unwrap_err().contains("usage: host"), "{wrong:?}");
        }
    }
}
