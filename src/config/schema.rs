//! The JSON Schema of the configuration, from the same types that read it.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use serde_json::Value;

use super::file::File;

/// Where the schema is published.
const ID: &str =
    "https://raw.githubusercontent.com/noentry/noentry/main/schema/noentry.schema.json";

/// The JSON Schema, draft 2020-12. It is committed as `schema/noentry.schema.json`.
#[must_use]
pub fn schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<File>();
    let mut unwrap = RecursiveTransform(unwrap_description);
    unwrap.transform(&mut schema);
    schema.insert("$id".to_owned(), ID.into());
    schema.to_value()
}

/// A comment is broken into lines for the width of the source, which an editor's is not.
fn unwrap_description(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ");
    }
}
