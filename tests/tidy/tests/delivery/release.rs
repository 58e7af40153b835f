//! A tree of which a release could be made: copies of what the scripts of a release read, in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tidy::{files, read, root};

/// Where the lock file is.
pub const LOCK_FILE: &str = "k3s/release/release.env";

/// A digest that is not zeros, for each digit another one.
pub fn digest(digit: char) -> String {
    format!("sha256:{}", digit.to_string().repeat(64))
}

/// The tree of a release, gone when it is dropped.
pub struct Release {
    folder: PathBuf,
}

impl Release {
    /// The files as they are here, the lock file filled, and a section of the changelog. `name`: one for each test.
    pub fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("delivery-{name}"));
        let _ = fs::remove_dir_all(&folder);
        let release = Self { folder };
        for file in files("scripts", "") {
            release.copy(&file);
        }
        for file in ["Cargo.toml", "spin.toml", "static/openapi.yaml", "runtime-class/spin-versions.sh"] {
            release.copy(Path::new(file));
        }
        release.write(".gitignore", "/target/\n/stand-ins/\n/.env\n");
        release.write("CHANGELOG.md", &format!("# Changelog\n\n## {}\n", env!("CARGO_PKG_VERSION")));
        release.write(LOCK_FILE, &read(LOCK_FILE).replace(&"0".repeat(64), &"a".repeat(64)));
        release
    }

    /// As it is here, permissions included.
    fn copy(&self, file: &Path) {
        let copy = self.folder.join(file);
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(root().join(file), copy).unwrap();
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap()
    }

    /// A value of the lock file.
    pub fn locked(&self, name: &str) -> String {
        let lines = self.read(LOCK_FILE);
        lines.lines().find_map(|line| line.strip_prefix(&format!("{name}="))).unwrap().to_owned()
    }

    pub fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Makes a commit of the whole tree.
    pub fn commit(&self) {
        let commit = [
            "-c",
            "user.name=A",
            "-c",
            "user.email=a@example.org",
            "commit",
            "--quiet",
            "--message=A release",
        ];
        for arguments in [&["init", "--quiet"][..], &["add", "--all"], &commit] {
            let output = self.run("git", arguments);
            assert!(output.status.success(), "{}", said(&output));
        }
    }

    /// The commit that is checked out, as git prints it.
    pub fn revision(&self) -> String {
        String::from_utf8(self.run("git", &["rev-parse", "HEAD"]).stdout).unwrap()
    }

    /// Replaces a text that is there.
    pub fn edit(&self, file: &str, there: &str, instead: &str) {
        let text = self.read(file);
        assert!(text.contains(there), "{file} has no {there}");
        self.write(file, &text.replacen(there, instead, 1));
    }

    /// A program that stands in for one that is not installed here: what it does, in shell.
    pub fn stand_in(&self, program: &str, does: &str) {
        let path = format!("stand-ins/{program}");
        self.write(&path, &format!("#!/usr/bin/env bash\n{does}\n"));
        assert!(Command::new("chmod").arg("+x").arg(self.path(&path)).status().unwrap().success());
    }

    /// Runs a program in the tree, with the stand-ins first in PATH.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let path = format!("{}:{}", self.path("stand-ins").display(), std::env::var("PATH").unwrap());
        Command::new(program)
            .args(arguments)
            .current_dir(&self.folder)
            .env("PATH", path)
            .env_remove("ENGINE")
            .env_remove("REGISTRY")
            .output()
            .unwrap()
    }

    /// Runs a script of the tree.
    pub fn script(&self, script: &str, arguments: &[&str]) -> Output {
        self.run(self.path(script).to_str().unwrap(), arguments)
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What a program said, on both streams.
pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
