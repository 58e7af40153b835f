//! Which PostgreSQL servers a component may reach: its `allowed_outbound_hosts`, held against the connection string.
//!
//! Spin knows wildcards, networks and other schemes there; this application uses none of them, and they are refused.

use anyhow::{Context, Result, bail};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

const DEFAULT_PORT: u16 = 5432;

/// The servers that one component may reach, by host and port.
pub struct AllowedHosts(Vec<(String, u16)>);

impl AllowedHosts {
    /// Reads the expanded list of a component.
    pub fn parse(entries: impl IntoIterator<Item = String>) -> Result<Self> {
        let entry = |entry: String| {
            host_and_port(&entry)
                .with_context(|| format!("allowed_outbound_hosts: {entry:?} is not supported"))
        };
        Ok(Self(entries.into_iter().map(entry).collect::<Result<_>>()?))
    }

    /// Reads a connection string, if it names one server, of the list, without TLS. Otherwise says why not, in words for
    /// the guest: they name host and port, and nothing else of the string.
    pub fn config(&self, address: &str) -> Result<Config, String> {
        let config: Config = address.parse().map_err(|error: tokio_postgres::Error| error.to_string())?;
        // With `prefer`, and no TLS on this side, the driver does not ask for it.
        if !matches!(config.get_ssl_mode(), SslMode::Disable | SslMode::Prefer) {
            return Err("this host has no TLS: sslmode must be disable or prefer".into());
        }
        if !config.get_hostaddrs().is_empty() {
            return Err("this host does not support hostaddr".into());
        }
        let [Host::Tcp(host)] = config.get_hosts() else {
            return Err("this host connects to one server, by TCP".into());
        };
        let port = config.get_ports().first().copied().unwrap_or(DEFAULT_PORT);
        if !self.0.iter().any(|(allowed, at)| allowed.eq_ignore_ascii_case(host) && *at == port) {
            return Err(format!("address postgres://{host}:{port} is not permitted"));
        }
        Ok(config)
    }
}

fn host_and_port(entry: &str) -> Result<(String, u16)> {
    let rest = entry.strip_prefix("postgres://").context("the scheme is not postgres")?;
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().context("the port is not a number")?),
        None => (rest, DEFAULT_PORT),
    };
    if host.is_empty() || !host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')) {
        bail!("the host is neither a name nor an IPv4 address");
    }
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::AllowedHosts;

    fn allowed(entry: &str) -> AllowedHosts {
        AllowedHosts::parse([entry.to_owned()]).unwrap()
    }

    #[test]
    fn only_the_listed_host_and_port_can_be_reached() {
        let hosts = allowed("postgres://db.example:6000");
        assert!(hosts.config("postgres://u:p@db.example:6000/d").is_ok());
        assert!(hosts.config("host=DB.example port=6000 user=u").is_ok());
        for (address, said) in [
            ("postgres://u:p@db.example/d", "postgres://db.example:5432 is not permitted"),
            ("postgres://u:p@other:6000/d", "postgres://other:6000 is not permitted"),
            ("postgres://u:p@db.example:6000,other:6000/d", "one server"),
            ("host=/var/run/postgresql port=6000", "one server"),
            ("user=u", "one server"),
            ("host=db.example hostaddr=10.0.0.1 port=6000", "hostaddr"),
            ("not a connection string", "invalid"),
        ] {
            let refusal = hosts.config(address).unwrap_err();
            assert!(refusal.contains(said), "{address}: {refusal}");
        }
    }

    #[test]
    fn the_port_of_both_sides_is_5432_when_it_is_not_named() {
        assert!(allowed("postgres://db").config("postgres://u@db/d").is_ok());
        assert!(allowed("postgres://db:5432").config("postgres://u@db/d").is_ok());
        assert!(allowed("postgres://db").config("postgres://u@db:5433/d").is_err());
    }

    #[test]
    fn a_connection_string_that_demands_tls_is_refused_by_name() {
        let hosts = allowed("postgres://db");
        for mode in ["disable", "prefer"] {
            assert!(hosts.config(&format!("postgres://u@db/d?sslmode={mode}")).is_ok(), "{mode}");
        }
        let refusal = hosts.config("postgres://u:hunter2@db/d?sslmode=require").unwrap_err();
        assert!(refusal.contains("sslmode") && !refusal.contains("hunter2"), "{refusal}");
    }

    #[test]
    fn an_entry_of_another_kind_is_refused_by_name() {
        for entry in
            ["https://db", "postgres://*", "postgres://*.db:1", "postgres://10.0.0.0/8", "db:5432", "*://*:*"]
        {
            let refusal = format!("{:#}", AllowedHosts::parse([entry.to_owned()]).err().unwrap());
            assert!(refusal.contains(entry), "{refusal}");
        }
    }
}
