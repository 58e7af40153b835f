//! Owners × commands: whatever rights an owner has, each command works, or it is refused before anything changed with what
//! to run so that it works.

use std::ops::Range;

use crate::journey::walk;
use crate::server::{Database, OWNER_PASSWORD, PASSWORD, Server, fails, succeeds};

const OTHER_PASSWORD: &str = "another-password-of-the-role";

/// Names that SQL has to quote, in an URL as well.
const OWNER: &str = "The Owner";
const DATABASE: &str = "Data Base";

const ALL: Range<u32> = 15..100;
const BEFORE_16: Range<u32> = 15..16;
const FROM_16: Range<u32> = 16..100;

struct Case {
    owner: &'static str,
    /// The major versions of servers where it is so. (CREATEROLE was everybody's role before 16.)
    majors: Range<u32>,
    /// Makes the role and the database, and what else is there.
    prepare: fn(&Server),
    /// What the commands say, one after the other.
    role: Answer,
    migrate: Answer,
    purge: Answer,
}

enum Answer {
    Works,
    /// Refused; the message ends with these lines, which a superuser runs. Then it works.
    Needs(&'static [&'static str]),
    /// Refused for this reason; a superuser runs this statement of the message. Then it works.
    Because(&'static str, &'static str),
}
use Answer::{Because, Needs, Works};

const RIGHTS_ON_THE_DATABASE: [&str; 2] = [
    r#"GRANT CONNECT ON DATABASE "Data Base" TO "The Owner" WITH GRANT OPTION;"#,
    r#"REVOKE TEMPORARY ON DATABASE "Data Base" FROM PUBLIC;"#,
];
const BECOME_THE_FIRST: &str = r#"GRANT "First" TO "The Owner""#;
const BECOME_THE_FIRST_FROM_16: &str = r#"GRANT "First" TO "The Owner" WITH INHERIT TRUE, SET TRUE"#;

const CASES: &[Case] = &[
    Case {
        owner: "a superuser",
        majors: ALL,
        prepare: |server| server.owned_by("SUPERUSER"),
        role: Works,
        migrate: Works,
        purge: Works,
    },
    Case {
        owner: "CREATEROLE, and owns the database",
        majors: ALL,
        prepare: |server| server.owned_by("CREATEROLE"),
        role: Works,
        migrate: Works,
        purge: Works,
    },
    Case {
        owner: "CREATEROLE, and everybody may create in the schema public",
        majors: ALL,
        prepare: |server| {
            server.owned_by("CREATEROLE");
            let database = server.database_of(OWNER, DATABASE);
            database.superuser().batch_execute("GRANT CREATE ON SCHEMA public TO PUBLIC").unwrap();
        },
        role: Works,
        migrate: Works,
        purge: Works,
    },
    Case {
        owner: "CREATEROLE, and does not own the database",
        majors: ALL,
        prepare: |server| {
            server.owned_by("CREATEROLE");
            server.run(r#"ALTER DATABASE "Data Base" OWNER TO owner"#);
        },
        role: Needs(&RIGHTS_ON_THE_DATABASE),
        migrate: Needs(&[r#"GRANT CREATE ON DATABASE "Data Base" TO "The Owner""#]),
        purge: Works,
    },
    Case {
        owner: "no CREATEROLE, and the role is missing",
        majors: ALL,
        prepare: |server| server.owned_by("NOCREATEROLE"),
        role: Needs(&[
            "CREATE ROLE cofrap_app;",
            "ALTER ROLE cofrap_app LOGIN;",
            "ALTER ROLE cofrap_app CONNECTION LIMIT 387;",
            "ALTER ROLE cofrap_app SET default_transaction_isolation = 'read committed';",
            "ALTER ROLE cofrap_app SET idle_in_transaction_session_timeout = '5s';",
            "ALTER ROLE cofrap_app SET log_parameter_max_length_on_error = '0';",
            "ALTER ROLE cofrap_app SET statement_timeout = '5s';",
            "\\password cofrap_app",
        ]),
        migrate: Works,
        purge: Works,
    },
    Case {
        owner: "no CREATEROLE, does not own the database, and an administrator made the role as it should be, but for its bounds",
        majors: ALL,
        prepare: |server| {
            server.owned_by("NOCREATEROLE");
            server.run(r#"ALTER DATABASE "Data Base" OWNER TO owner"#);
            succeeds(
                &server
                    .database_of(OWNER, DATABASE)
                    .with_url(server.url_of("owner", "Data%20Base"))
                    .ops("role"),
            );
            server.run("ALTER ROLE cofrap_app CONNECTION LIMIT -1 VALID UNTIL '2126-01-01'; ALTER ROLE cofrap_app SUPERUSER");
            server.run(r#"ALTER ROLE cofrap_app IN DATABASE "Data Base" SET statement_timeout = 0"#);
        },
        role: Needs(&[
            "ALTER ROLE cofrap_app NOSUPERUSER;",
            "ALTER ROLE cofrap_app VALID UNTIL 'infinity';",
            "ALTER ROLE cofrap_app CONNECTION LIMIT 387;",
            r#"ALTER ROLE cofrap_app IN DATABASE "Data Base" RESET statement_timeout;"#,
        ]),
        migrate: Needs(&[r#"GRANT CREATE ON DATABASE "Data Base" TO "The Owner""#]),
        purge: Works,
    },
    Case {
        owner: "no CREATEROLE, and an administrator made the role with another password",
        majors: ALL,
        prepare: |server| {
            server.owned_by("NOCREATEROLE");
            let administrator =
                server.database_of(OWNER, DATABASE).with_url(server.url_of("owner", "Data%20Base"));
            succeeds(&administrator.ops_with("role", OTHER_PASSWORD));
        },
        role: Needs(&["\\password cofrap_app"]),
        migrate: Works,
        purge: Works,
    },
    Case {
        owner: "no CREATEROLE, and an administrator made the role as it should be, with less connections",
        majors: ALL,
        prepare: |server| {
            server.owned_by("NOCREATEROLE");
            let administrator =
                server.database_of(OWNER, DATABASE).with_url(server.url_of("owner", "Data%20Base"));
            succeeds(&administrator.ops("role"));
            server.run("ALTER ROLE cofrap_app CONNECTION LIMIT 100");
        },
        role: Works,
        migrate: Works,
        purge: Works,
    },
    Case {
        owner: "CREATEROLE, and an administrator made the role",
        majors: BEFORE_16,
        prepare: |server| {
            server.owned_by("CREATEROLE");
            server.run("CREATE ROLE cofrap_app");
        },
        role: Works,
        migrate: Works,
        purge: Works,
    },
    Case {
        owner: "CREATEROLE without ADMIN on the role, which an administrator made",
        majors: FROM_16,
        prepare: |server| {
            server.owned_by("CREATEROLE");
            server.run("CREATE ROLE cofrap_app");
        },
        role: Needs(&[r#"GRANT cofrap_app TO "The Owner" WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;"#]),
        migrate: Works,
        purge: Works,
    },
    Case {
        owner: "a second installation on the server, with another password",
        majors: ALL,
        prepare: |server| {
            server.first_installation(OTHER_PASSWORD);
            server.owned_by("CREATEROLE");
        },
        role: Because(
            r#"cofrap_app serves the database "First Base" of this server, too, and APPLICATION_PASSWORD is not its password"#,
            "\\password cofrap_app",
        ),
        migrate: Works,
        purge: Works,
    },
    Case {
        owner: "a second installation on the server, by a superuser, with another password; nobody uses the first one any more",
        majors: ALL,
        prepare: |server| {
            server.first_installation(OTHER_PASSWORD);
            server.owned_by("SUPERUSER");
        },
        role: Because(
            r#"cofrap_app serves the database "First Base""#,
            r#"ALTER DATABASE "First Base" WITH ALLOW_CONNECTIONS false"#,
        ),
        migrate: Works,
        purge: Works,
    },
    Case {
        owner: "a second installation on the server, with the same password",
        majors: ALL,
        prepare: |server| {
            server.first_installation(PASSWORD);
            server.owned_by("CREATEROLE");
        },
        role: Works,
        migrate: Works,
        purge: Works,
    },
    Case {
        owner: "a second installation on the server, with the same password and no CREATEROLE",
        majors: ALL,
        prepare: |server| {
            server.first_installation(PASSWORD);
            server.owned_by("NOCREATEROLE");
        },
        role: Works,
        migrate: Works,
        purge: Works,
    },
    Case {
        owner: "CREATEROLE, beside the database's owner, to whom the schema belongs",
        majors: BEFORE_16,
        prepare: of_the_first,
        role: Works,
        migrate: Needs(&[BECOME_THE_FIRST]),
        purge: Works,
    },
    Case {
        owner: "CREATEROLE, beside the database's owner, to whom the schema belongs",
        majors: FROM_16,
        prepare: of_the_first,
        role: Works,
        migrate: Needs(&[BECOME_THE_FIRST_FROM_16]),
        purge: Works,
    },
    Case {
        owner: "a member of the schema's owner, without its rights",
        majors: BEFORE_16,
        prepare: |server| {
            of_the_first(server);
            server.run(r#"GRANT "First" TO "The Owner"; ALTER ROLE "The Owner" NOINHERIT"#);
        },
        role: Works,
        migrate: Needs(&[r#"ALTER ROLE "The Owner" INHERIT"#]),
        purge: Works,
    },
    Case {
        owner: "may become the schema's owner, and has not its rights",
        majors: FROM_16,
        prepare: |server| {
            of_the_first(server);
            server.run(r#"GRANT "First" TO "The Owner" WITH INHERIT FALSE, SET TRUE"#);
        },
        role: Works,
        migrate: Needs(&[BECOME_THE_FIRST_FROM_16]),
        purge: Works,
    },
    Case {
        owner: "has the schema owner's rights, and may not become it",
        majors: FROM_16,
        prepare: |server| {
            of_the_first(server);
            server.run(r#"GRANT "First" TO "The Owner" WITH INHERIT TRUE, SET FALSE"#);
        },
        role: Works,
        migrate: Needs(&[BECOME_THE_FIRST_FROM_16]),
        purge: Works,
    },
];

/// The database is the first one's, and so is what is in it.
fn of_the_first(server: &Server) {
    server.first_installation(PASSWORD);
    server.run(&format!("CREATE ROLE \"{OWNER}\" LOGIN CREATEROLE PASSWORD '{OWNER_PASSWORD}'"));
    server.run(r#"ALTER DATABASE "First Base" RENAME TO "Data Base""#);
}

impl Server {
    fn run(&self, statements: &str) {
        for statement in statements.split("; ") {
            self.superuser().batch_execute(statement).unwrap();
        }
    }

    /// Makes the owner and a database of theirs.
    fn owned_by(&self, attributes: &str) {
        self.run(&format!("CREATE ROLE \"{OWNER}\" LOGIN {attributes} PASSWORD '{OWNER_PASSWORD}'"));
        self.run(&format!("CREATE DATABASE \"{DATABASE}\" OWNER \"{OWNER}\""));
    }

    /// Makes somebody else's database with everything in it.
    fn first_installation(&self, password: &str) {
        self.run(&format!("CREATE ROLE \"First\" LOGIN CREATEROLE PASSWORD '{OWNER_PASSWORD}'"));
        self.run("CREATE DATABASE \"First Base\" OWNER \"First\"");
        let first = self.database_of("First", "First Base");
        succeeds(&first.ops_with("role", password));
        succeeds(&first.ops_with("migrate", password));
    }

    /// Drops all databases and roles but its own.
    fn clear(&self) {
        let all = |query: &str| -> Vec<String> {
            self.superuser().query(query, &[]).unwrap().iter().map(|row| row.get(0)).collect()
        };
        for database in all("SELECT quote_ident(datname) FROM pg_database WHERE datname LIKE '% %'") {
            self.run(&format!("DROP DATABASE {database} WITH (FORCE)"));
        }
        let roles = all("SELECT quote_ident(rolname) FROM pg_roles WHERE rolname !~ '^(pg_|owner$)'");
        if !roles.is_empty() {
            self.run(&format!("DROP ROLE {}", roles.join(", ")));
        }
    }

    fn major(&self) -> u32 {
        self.text("SELECT current_setting('server_version_num')::integer / 10000").parse().unwrap()
    }
}

/// All that a command could change, of the server and of the database.
fn everything(database: &Database) -> String {
    database.objects()
        + &database.text(
            "SELECT string_agg(line, chr(10) ORDER BY line) FROM (
                SELECT pg_authid::text FROM pg_authid UNION ALL SELECT pg_auth_members::text FROM pg_auth_members
                UNION ALL SELECT pg_db_role_setting::text FROM pg_db_role_setting
                UNION ALL SELECT concat_ws(' ', datname, datacl, datallowconn) FROM pg_database) AS lines (line)",
        )
}

/// As a superuser in psql would.
fn run_what_is_needed(database: &Database, statement: &str) {
    let password = format!("ALTER ROLE cofrap_app PASSWORD '{}'", PASSWORD.replace('\'', "''"));
    let statement = if statement == "\\password cofrap_app" { &password } else { statement };
    database.superuser().batch_execute(statement).unwrap();
}

/// Who may not change the role has it as an administrator made it, and is told that it is right.
fn assert_changes_nothing_without_a_right_to(database: &Database) {
    let before = everything(database);
    let said = succeeds(&database.ops("role"));
    if database.text(&format!("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = '{OWNER}'"))
        == "false"
    {
        assert!(said.starts_with("role cofrap_app is as it should be\n"), "{said}");
        assert_eq!(everything(database), before);
    }
}

#[test]
fn whatever_rights_an_owner_has_each_command_works_or_says_what_to_run_so_that_it_works() {
    let server = Server::start("owners");
    let major = server.major();
    for case in CASES.iter().filter(|case| case.majors.contains(&major)) {
        server.clear();
        (case.prepare)(&server);
        let database = server.database_of(OWNER, DATABASE);
        for (command, answer) in [("role", &case.role), ("migrate", &case.migrate), ("purge", &case.purge)] {
            let what = format!("{command} by an owner who: {}", case.owner);
            eprintln!("{what}");
            let before = everything(&database);
            let refused = |ending: &dyn Fn(&str) -> bool| {
                let said = fails(&database.ops(command));
                assert!(ending(&said), "{what}: {said}");
                assert_eq!(everything(&database), before, "{what}");
            };
            match answer {
                Works => {}
                Needs(lines) => {
                    refused(&|said| said.ends_with(&format!("{}\n", lines.join("\n"))));
                    lines.iter().for_each(|line| run_what_is_needed(&database, line));
                }
                Because(reason, statement) => {
                    refused(&|said| said.contains(reason) && said.contains(statement));
                    run_what_is_needed(&database, statement);
                }
            }
            succeeds(&database.ops(command));
        }
        assert_changes_nothing_without_a_right_to(&database);
        walk(&database);
        assert!(
            database.application(PASSWORD).unwrap().batch_execute("CREATE TEMPORARY TABLE mine ()").is_err()
        );
    }
}
