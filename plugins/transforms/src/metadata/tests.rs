//! Rows of the reference on `SetSchemaMetadata`.
#![allow(clippy::unwrap_used)]

use super::SetSchemaMetadata;
use crate::record::Part;
use crate::testing::{apply, configure};

#[test]
fn what_is_set_changes_and_the_rest_stays() {
    let schema = r#"{"type":"struct","fields":[],"optional":true,"doc":"d"}"#;
    let pairs = [("schema.name", "N"), ("schema.version", "3")];
    let named = r#"{"type":"struct","fields":[],"optional":true,"name":"N","version":3,"doc":"d"}"#;
    assert_eq!(apply::<SetSchemaMetadata>(&pairs, schema, Some("{}")), Ok((Some("{}".to_owned()), named.to_owned())));
    assert_eq!(apply::<SetSchemaMetadata>(&pairs, schema, None), Ok((None, named.to_owned())));
    assert_eq!(apply::<SetSchemaMetadata>(&pairs, "", None), Ok((None, String::new())));
    assert!(apply::<SetSchemaMetadata>(&pairs, "", Some("{}")).is_err());
    assert!(configure::<SetSchemaMetadata>(Part::Value, &[]).is_err());
    assert!(configure::<SetSchemaMetadata>(Part::Value, &[("schema.version", "x")]).is_err());
}
