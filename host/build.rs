//! Finds the WIT of Spin's interfaces in the spin-sdk package that Cargo has anyway, and writes the `bindgen!` that reads
//! it. A copy of the WIT in this repository could differ from the one that the components are built against; this cannot.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, error, fs};

use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn error::Error>>;

/// What our components import of Spin; WASI is wasmtime's own business.
const WORLD: &str = "package cofrap:host;

world spin {
    import fermyon:spin/variables@2.0.0;
    import spin:postgres/postgres@4.0.0;
}
";

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    // The root manifest pins the version of spin-sdk.
    println!("cargo::rerun-if-changed=../Cargo.toml");
    let sdk = spin_sdk()?.join("wit/deps");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let wit = out.join("wit");
    fs::create_dir_all(wit.join("deps"))?;
    fs::write(wit.join("world.wit"), WORLD)?;
    // The rest of this package asks for all of WASI, at a version that nobody imports.
    let variables =
        format!("package fermyon:spin@2.0.0;\n\n{}", read(&sdk.join("spin@2.0.0/variables.wit"))?);
    fs::write(wit.join("deps/variables.wit"), variables)?;
    fs::write(wit.join("deps/postgres.wit"), read(&sdk.join("spin-postgres@4.0.0/postgres.wit"))?)?;
    fs::write(out.join("bindings.rs"), bindings(&wit))?;
    Ok(())
}

fn read(file: &Path) -> Result<String> {
    println!("cargo::rerun-if-changed={}", file.display());
    fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()).into())
}

/// The folder of the spin-sdk package, as Cargo resolved it for the components' own target.
fn spin_sdk() -> Result<PathBuf> {
    let output = Command::new(env::var("CARGO")?)
        .args(["metadata", "--format-version=1", "--filter-platform=wasm32-wasip2"])
        .output()?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let manifest = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|package| package["name"] == "spin-sdk")
        .and_then(|package| package["manifest_path"].as_str())
        .ok_or("no package of this workspace depends on spin-sdk, whose WIT the host needs")?;
    Ok(Path::new(manifest).parent().ok_or("spin-sdk has no folder")?.to_path_buf())
}

/// The macro takes its path as a literal only, so its call is written here and included in `main.rs`.
fn bindings(wit: &Path) -> String {
    format!(
        r#"wasmtime::component::bindgen!({{
    path: {wit:?},
    imports: {{
        "spin:postgres/postgres.[method]connection.query": async | trappable,
        "spin:postgres/postgres.[method]connection.execute": async | trappable,
        default: async,
    }},
    with: {{ "spin:postgres/postgres.connection": deadpool_postgres::Object }},
}});
"#
    )
}
