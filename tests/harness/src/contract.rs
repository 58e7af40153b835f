//! Holds answers against `static/openapi.yaml`: what the document does not say, the app may not answer.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use crate::client::Exchange;
use crate::workspace;

/// The document, and the schemas of it that were needed so far.
pub struct Contract {
    document: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Contract {
    /// The contract of this workspace.
    #[must_use]
    pub fn get() -> &'static Self {
        static CONTRACT: LazyLock<Contract> = LazyLock::new(|| {
            let text = fs::read_to_string(workspace::root().join("static/openapi.yaml"))
                .expect("openapi.yaml is there");
            let document =
                serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("openapi.yaml: {error}"));
            Contract { document, validators: Mutex::default() }
        });
        &CONTRACT
    }

    /// The document as it stands.
    #[must_use]
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Every operation: its path, its method in capitals, and the operation itself with no reference left at its top.
    #[must_use]
    pub fn operations(&self) -> Vec<(String, String, Value)> {
        let mut operations = Vec::new();
        for path in object(&self.document["paths"]).keys() {
            for (method, operation) in self.methods(path).expect("the path was just listed") {
                operations.push((path.clone(), method, operation));
            }
        }
        operations
    }

    /// Every pair of `code` and status that the document promises anywhere.
    #[must_use]
    pub fn problems(&self) -> BTreeSet<(String, u16)> {
        let mut responses: Vec<(u16, Value)> = vec![
            (404, self.resolved(&self.document["x-undocumented-path"])),
            (405, self.resolved(&self.document["x-undocumented-method"])),
        ];
        for (_, _, operation) in self.operations() {
            for (status, response) in object(&operation["responses"]) {
                responses.push((status.parse().expect("statuses are numbers"), self.resolved(response)));
            }
        }
        let mut problems = BTreeSet::new();
        for (status, response) in responses {
            self.codes_below(&response["content"]["application/problem+json"]["schema"], &mut |code| {
                problems.insert((code.to_owned(), status));
            });
        }
        problems
    }

    /// Checks one exchange.
    ///
    /// # Panics
    /// When the answer, or an accepted request, is not as documented.
    pub fn check(&self, exchange: &Exchange<'_>) {
        let path = exchange.path.split(['?', '#']).next().unwrap_or_default();
        if !(path.starts_with("/api") || path.starts_with("/function")) {
            return;
        }
        let name = format!("{} {path}", exchange.method);
        let operation = self.methods(path).map(|mut methods| methods.remove(exchange.method));
        let response = match &operation {
            None => self.only(404, "x-undocumented-path", exchange),
            Some(None) => self.only(405, "x-undocumented-method", exchange),
            Some(Some(operation)) => {
                self.resolved(self.documented(operation, exchange).unwrap_or_else(|| {
                    undocumented(exchange, &format!("the document has no such status for {name}"))
                }))
            }
        };
        self.check_headers(&response, exchange);
        self.check_body(&name, &response, exchange);
        if let Some(Some(operation)) = &operation
            && exchange.answer.status < 300
            && !exchange.body.is_empty()
            && operation.get("requestBody").is_some()
        {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let body = serde_json::from_slice(exchange.body).expect("only JSON is accepted");
            self.check_schema(&format!("{name} request"), schema, &body, exchange);
        }
    }

    /// What the document says of the status of an answer.
    fn documented<'document>(
        &'document self,
        operation: &'document Value,
        exchange: &Exchange<'_>,
    ) -> Option<&'document Value> {
        let status = exchange.answer.status.to_string();
        let is_unwanted = operation.get("requestBody").is_none() && !exchange.body.is_empty();
        let of_unwanted = || self.document["x-undocumented-body"].get(&status).filter(|_| is_unwanted);
        operation["responses"].get(&status).or_else(of_unwanted)
    }

    fn only(&self, status: u16, key: &str, exchange: &Exchange<'_>) -> Value {
        if exchange.answer.status != status {
            undocumented(exchange, &format!("the document says {status} for whatever it does not list"));
        }
        self.resolved(&self.document[key])
    }

    fn check_headers(&self, response: &Value, exchange: &Exchange<'_>) {
        let empty = Map::new();
        let declared = response["headers"].as_object().unwrap_or(&empty);
        for (name, header) in declared {
            let header = self.resolved(header);
            let values = exchange.answer.headers(name);
            if values.is_empty() && header["required"] == json!(true) {
                undocumented(exchange, &format!("the header {name} is missing"));
            }
            for value in values {
                self.check_schema(
                    &format!("header {name} {}", header["schema"]),
                    &header["schema"],
                    &json!(value),
                    exchange,
                );
            }
        }
        if !declared.contains_key("Set-Cookie") && exchange.answer.header("set-cookie").is_some() {
            undocumented(exchange, "no cookie is documented here");
        }
        if exchange.answer.header("access-control-allow-origin").is_some() {
            undocumented(exchange, "no page of another origin may read the API");
        }
    }

    fn check_body(&self, name: &str, response: &Value, exchange: &Exchange<'_>) {
        let answer = exchange.answer;
        let Some(content) = response["content"].as_object() else {
            if !answer.body.is_empty() {
                undocumented(exchange, "no body is documented here");
            }
            return;
        };
        let declared = answer.header("content-type").unwrap_or_default();
        let media_type = declared.split(';').next().unwrap_or_default().trim();
        let Some(media) = content.get(media_type) else {
            undocumented(exchange, &format!("the content type {declared:?} is not documented"));
        };
        if exchange.method == "HEAD" {
            return;
        }
        let Ok(body) = serde_json::from_slice(&answer.body) else {
            undocumented(exchange, "the body is not JSON");
        };
        self.check_schema(
            &format!("{name} {} {media_type}", answer.status),
            &media["schema"],
            &body,
            exchange,
        );
    }

    fn check_schema(&self, name: &str, schema: &Value, instance: &Value, exchange: &Exchange<'_>) {
        let validator = self.validator(name, schema);
        let mut faults = String::new();
        for error in validator.iter_errors(instance) {
            writeln!(faults, "  at {:?}: {error}", error.instance_path().to_string())
                .expect("a String takes all");
        }
        if !faults.is_empty() {
            undocumented(exchange, &format!("not as documented for {name}:\n{faults}"));
        }
    }

    fn validator(&self, name: &str, schema: &Value) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        let build =
            || Arc::new(self.compile(schema).unwrap_or_else(|error| panic!("the schema of {name}: {error}")));
        Arc::clone(validators.entry(name.to_owned()).or_insert_with(build))
    }

    /// Compiles a schema of the document, with the formats asserted.
    ///
    /// # Errors
    /// What is wrong with the schema.
    pub fn compile(&self, schema: &Value) -> Result<Validator, String> {
        assert!(schema.is_object(), "a schema is missing");
        let alone =
            json!({ "allOf": [schema], "components": { "schemas": self.document["components"]["schemas"] } });
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .build(&alone)
            .map_err(|error| error.to_string())
    }

    /// The operations of a path by method; none when the document does not list the path.
    fn methods(&self, path: &str) -> Option<BTreeMap<String, Value>> {
        let paths = object(&self.document["paths"]);
        let listed =
            paths.get(path).or_else(|| Some(paths.iter().find(|(known, _)| stands_for(known, path))?.1));
        let item = self.resolved(listed?);
        let methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
        let listed =
            methods.iter().filter_map(|method| Some((method.to_uppercase(), item.get(method)?.clone())));
        Some(listed.collect())
    }

    /// The object with its own reference followed, and the fields beside the reference kept.
    fn resolved(&self, value: &Value) -> Value {
        let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
            return value.clone();
        };
        let target = reference.strip_prefix('#').and_then(|pointer| self.document.pointer(pointer));
        let mut resolved = self.resolved(target.unwrap_or_else(|| panic!("{reference} is nowhere")));
        for (key, beside) in object(value).iter().filter(|(key, _)| *key != "$ref") {
            resolved[key] = beside.clone();
        }
        resolved
    }

    /// Calls `found` for each value of an `enum` that stands below a property named `code`.
    fn codes_below(&self, schema: &Value, found: &mut impl FnMut(&str)) {
        for code in schema["properties"]["code"]["enum"].as_array().into_iter().flatten() {
            found(code.as_str().expect("codes are texts"));
        }
        if let Some(reference) = schema["$ref"].as_str() {
            let target = reference.strip_prefix('#').and_then(|pointer| self.document.pointer(pointer));
            self.codes_below(target.expect("the reference leads somewhere"), found);
        }
        for part in schema["oneOf"].as_array().into_iter().flatten() {
            self.codes_below(part, found);
        }
    }
}

/// Whether a path of the document with segments such as `{id}` stands for the path of a request. No segment is empty.
fn stands_for(known: &str, path: &str) -> bool {
    let (known, path): (Vec<&str>, Vec<&str>) = (known.split('/').collect(), path.split('/').collect());
    let is_parameter = |segment: &str| segment.starts_with('{') && segment.ends_with('}');
    known.len() == path.len()
        && known
            .iter()
            .zip(path)
            .all(|(known, sent)| *known == sent || is_parameter(known) && !sent.is_empty())
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().expect("the document has an object here")
}

fn undocumented(exchange: &Exchange<'_>, why: &str) -> ! {
    panic!("{why}\nrequest: {} {}\nanswer: {:?}", exchange.method, exchange.path, exchange.answer)
}
