# An index: every command is a script of its own in scripts/.
.DEFAULT_GOAL := help
.PHONY: help up build db db-stop db-reset purge reseal export erase backup restore test majors manifests soak drill mutants sql-mutants fuzz deny advisories screenshots lighthouse attack api-fuzz lint release-check image push reproducible sbom

help: ## Lists the commands
	@sed -nE 's/^([a-z-]+):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 22

up: ## Builds, starts a private PostgreSQL unless DATABASE_URL names one, serves on LISTEN (127.0.0.1:3000) until Ctrl-C
	@scripts/up

build: ## Builds the WebAssembly components into target/components
	@scripts/build-components

db: ## Starts and migrates the private PostgreSQL, and writes .env, without serving
	@scripts/db

db-stop: ## Stops the private PostgreSQL
	@scripts/postgres stop .run/postgres

db-reset: ## Deletes the private PostgreSQL with all accounts, and .env
	@scripts/postgres reset .run/postgres && rm -f .env .run/public-url

purge: ## Removes what has ended from that database (options: make purge OPTIONS='--events-months 6')
	@scripts/owner purge $(OPTIONS)

reseal: ## Seals everything again with the first of SPIN_VARIABLE_SEALING_KEYS (only looking: make reseal OPTIONS=--check)
	@scripts/owner reseal $(OPTIONS)

export: ## Prints what is stored in it about somebody, as JSON (make export NAME=...)
	@scripts/owner export "$(NAME)"

erase: ## Removes somebody's account from it, with what is stored about them (make erase NAME=...)
	@scripts/owner erase "$(NAME)"

backup: ## Backs that database up into a folder and reads the backup back (make backup FOLDER=/var/backups/identity)
	@scripts/owner backup $(FOLDER)

restore: ## Restores a backup into that database, which has to be empty, with all sessions ended (make restore FILE=...)
	@scripts/owner restore $(FILE)

test: ## Runs every check
	@scripts/test

majors: ## Runs statements, contract, and a backup with its restore on servers of PostgreSQL 15 to 18 (MAJORS="17 18" for some)
	@scripts/majors $(MAJORS)

manifests: ## Renders the manifests for K3s, and checks them and the scripts beside them (a part: make manifests ONLY=network)
	@scripts/manifests $(if $(ONLY),-k $(ONLY))

soak: ## Breaks database, network, host and clients in every way, with 10,000 people (or PEOPLE=...) on their way
	@PEOPLE=$(PEOPLE) scripts/soak

drill: ## Backs up under load and restores elsewhere, with 10,000 accounts (or ACCOUNTS=...), and says how long each took
	@ACCOUNTS=$(ACCOUNTS) scripts/drill

mutants: ## Changes the rules in Rust in one place at a time: a test has to fail (SHARD=2/4)
	@scripts/mutants

sql-mutants: ## Takes each condition, lock, constraint and grant out of the SQL in turn: a test has to fail (SHARD=2/4, PART=login/)
	@scripts/sql-mutants

fuzz: ## Looks for input that breaks what the parsers promise (SECONDS=60 for each of them)
	@scripts/fuzz $(SECONDS)

deny: ## Holds what everything is built from against deny.toml: licences, sources, duplicates
	@scripts/deny

advisories: ## Looks for known weaknesses of the same, in RustSec's database, which is fetched from GitHub
	@scripts/deny advisories

screenshots: ## Takes a picture of every page in every state into target/screenshots, with the checks that go with them
	@scripts/screenshots

lighthouse: ## Audits the pages that a running `make up` serves (URL=http://127.0.0.1:3000) with Lighthouse
	@URL=$(URL) scripts/lighthouse

attack: ## Runs every attack in full size, alone and one after the other: races, walks, guesses, timing, odd requests
	@scripts/attack $(ATTACKS)

api-fuzz: ## Lets Schemathesis try what openapi.yaml allows and forbids, on URL=... or an app of its own (EXAMPLES=100, SEED=...)
	@URL=$(URL) scripts/api-fuzz

lint: ## Formats, and runs the linter
	@cargo fmt --all && cargo clippy --workspace --all-targets --locked -- -D warnings

release-check: ## Refuses a release whose lock file (k3s/release/release.env) has gaps, or whose version differs between files
	@scripts/release-check

image: ## Builds a release from this commit: the components, and the image of the jobs (with podman, buildah or docker)
	@scripts/image

push: ## Pushes what make image built (with spin, to REGISTRY) and writes the digests into the lock file
	@scripts/push

reproducible: ## Builds the components in two clones at different paths, and compares them byte by byte
	@scripts/reproducible

sbom: ## Writes what each component and the owner's tool are made of into target/sbom (CycloneDX)
	@scripts/sbom
