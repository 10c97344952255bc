//! What GitHub does and the emulator does not: a wrong token is refused, and so is too long a text;
//! whom one cannot assign is left out without a word; links lead to where one asked; and GraphQL, which
//! is no part of the REST description, says whose token it is.

use regex_lite::Regex;
use serde_json::{Value, json};

use super::emulator::{ACTIONS, BOT, OWNER, PERSON};
use super::wire::{self, Request, Response};

/// How a repository stands, and who may ask.
#[derive(Clone, Debug, Default)]
pub struct Manners {
    /// The only token that GitHub knows here.
    pub token: String,
    /// Whose it is.
    pub login: String,
    /// Before every path, as `/api/v3` on an Enterprise Server.
    pub prefix: String,
}

/// What a body may have: <https://docs.github.com/rest/issues/issues#create-an-issue> says nothing of
/// it, the API does, in these words.
const BODY: usize = 65_536;
const TITLE: usize = 256;
const LABEL: usize = 50;

/// The answer that GitHub has for a request and the emulator has not.
pub fn before(manners: &Manners, request: &mut Request) -> Option<Response> {
    let Some(path) = request.path.strip_prefix(&manners.prefix) else {
        return Some(message(404, "Not Found"));
    };
    request.path = path.to_owned();
    let token = wire::header(&request.headers, "authorization").unwrap_or_default();
    let token = token.split(' ').next_back().unwrap_or_default();
    if token != manners.token {
        return Some(message(401, "Bad credentials"));
    }
    // GitHub refuses requests without one: https://docs.github.com/rest/using-the-rest-api
    if wire::header(&request.headers, "user-agent").is_none() {
        return Some(message(403, "Request forbidden by administrative rules."));
    }
    if request.path == "/graphql" {
        let viewer = json!({ "data": { "viewer": { "login": manners.login } } });
        return Some(Response::json(200, &viewer));
    }
    let mut body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
    let long = |field: &str, most: usize| {
        let text = body.get(field).and_then(Value::as_str);
        text.is_some_and(|text| text.chars().count() > most)
    };
    if long("body", BODY) {
        return Some(invalid("body", BODY));
    }
    if long("title", TITLE) {
        return Some(invalid("title", TITLE));
    }
    let labels = body.get("labels").and_then(Value::as_array);
    let mut labels = labels.into_iter().flatten().filter_map(Value::as_str);
    let is_label = request.path.ends_with("/labels") && long("name", LABEL);
    if is_label || labels.any(|label| label.chars().count() > LABEL) {
        return Some(invalid("name", LABEL));
    }
    if let Some(Value::Array(assignees)) = body.get_mut("assignees") {
        let ours = [BOT, ACTIONS, OWNER, PERSON];
        assignees.retain(|login| login.as_str().is_some_and(|login| ours.contains(&login)));
        request.body = body.to_string().into_bytes();
    }
    None
}

/// The answer as GitHub would give it at this address.
pub fn after(url: &str, answer: &mut Response) {
    let own = Regex::new("<http://[^/>]+").unwrap();
    for (name, value) in &mut answer.headers {
        if name.eq_ignore_ascii_case("link") {
            *value = own.replace_all(value, format!("<{url}")).into_owned();
        }
    }
}

fn message(status: u16, message: &str) -> Response {
    Response::json(status, &json!({ "message": message }))
}

fn invalid(field: &str, most: usize) -> Response {
    let why = format!("{field} is too long (maximum is {most} characters)");
    let error = json!({ "resource": "Issue", "code": "custom", "field": field, "message": why });
    let body = json!({ "message": "Validation Failed", "errors": [error] });
    Response::json(422, &body)
}
