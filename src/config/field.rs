//! A field of the file that may be missing or of the wrong type, without spoiling the fields beside
//! it: so all that is wrong with a file can be said at once.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde_yaml::{Mapping, Value};

/// A field as it was found.
#[derive(Debug, Default)]
pub enum Field<T> {
    /// The key is not there.
    #[default]
    Absent,
    /// A value of the right type. Whether it makes sense is asked later.
    Given(T),
    /// A value of another type. Lists and mappings are kept without what is in them.
    Unfit(Box<Value>),
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        // serde_yaml reads nothing as an empty list, mapping or text; here it is always a mistake.
        if value.is_null() {
            return Ok(Self::Unfit(Box::new(value)));
        }
        // Derived structs also read a list, in the order of their fields; the format does not.
        if value.is_sequence() && !words_of::<T>().is_empty() {
            return Ok(Self::Unfit(Box::new(value)));
        }
        // Of a list or mapping that does not fit, only its kind is ever told. Keeping no copy of it
        // matters: ten thousand targets would be copied once a level.
        let kept = match &value {
            Value::Sequence(_) => Value::Sequence(Vec::new()),
            Value::Mapping(_) => Value::Mapping(Mapping::new()),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Tagged(_) => value.clone(),
        };
        Ok(match T::deserialize(value) {
            Ok(given) => Self::Given(given),
            Err(_) => Self::Unfit(Box::new(kept)),
        })
    }
}

impl<T: JsonSchema> JsonSchema for Field<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// The keys of a struct or the words of an enum, in the order of their declaration, as serde knows
/// them: the one list that cannot fall behind. Empty for other types.
#[must_use]
pub fn words_of<T: DeserializeOwned>() -> &'static [&'static str] {
    match T::deserialize(Curious) {
        Ok(_) => &[],
        Err(Words(words)) => words,
    }
}

/// A deserialiser that only wants to know what it is asked for.
struct Curious;

/// What was asked for, on the way out as an error.
#[derive(Debug)]
struct Words(&'static [&'static str]);

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("asked for its words")
    }
}

impl std::error::Error for Words {}

impl de::Error for Words {
    fn custom<M: fmt::Display>(_: M) -> Self {
        Self(&[])
    }
}

impl<'de> Deserializer<'de> for Curious {
    type Error = Words;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Words> {
        Err(Words(&[]))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Words> {
        Err(Words(fields))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Words> {
        Err(Words(variants))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::target::Barrier;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Pair {
        first: Field<u64>,
        second: Field<Barrier>,
    }

    #[test]
    fn one_bad_field_leaves_the_others_alone() {
        let pair: Pair = serde_yaml::from_str("first: x\nsecond: tls").unwrap();
        assert!(matches!(pair.first, Field::Unfit(value) if value.is_string()));
        assert!(matches!(pair.second, Field::Given(Barrier::Tls)));
        let pair: Pair = serde_yaml::from_str("second: ~").unwrap();
        assert!(matches!(pair.first, Field::Absent));
        assert!(matches!(pair.second, Field::Unfit(value) if value.is_null()));
    }

    #[test]
    fn a_list_is_no_mapping() {
        let field: Field<Pair> = serde_yaml::from_str("[1, tls]").unwrap();
        assert!(matches!(field, Field::Unfit(value) if value.is_sequence()));
    }

    #[test]
    fn serde_knows_the_words() {
        assert_eq!(words_of::<Pair>(), ["first", "second"]);
        assert_eq!(words_of::<Barrier>(), ["dns", "network", "tls", "http"]);
        assert!(words_of::<String>().is_empty());
        assert!(words_of::<Vec<Field<Barrier>>>().is_empty());
    }
}
