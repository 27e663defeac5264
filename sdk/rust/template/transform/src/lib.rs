//! A transform that replaces a text in each value, such as a secret by asterisks: change it into yours.
//!
//! Enters: records, one at a time. Leaves: the same records. Invariant: a value without the text keeps its bytes where they are.

use lockgate_sdk::{Config, Description, Edit, Encoding, Fault, Flow, RowFault, Task, Transform};

struct MyTransform {
    find: Vec<u8>,
    put: Vec<u8>,
}

impl Transform for MyTransform {
    fn describe() -> Description {
        Description::new("com.example.MyTransform")
            .doc("Replaces a text in each value.")
            .encoding(Encoding::Bytes)
            .encoding(Encoding::Json)
            .config(
                Config::new()
                    .string("find")
                    .required()
                    .non_empty()
                    .doc("The text to replace.")
                    .string("put")
                    .default("***")
                    .doc("What stands there instead."),
            )
    }

    fn open(mut task: Task) -> Result<Self, Fault> {
        let (find, put) = (task.config.string("find"), task.config.string("put"));
        task.config.finish()?;
        Ok(Self { find: find.into_bytes(), put: put.into_bytes() })
    }

    fn apply(&mut self, record: &mut Edit<'_>) -> Result<Flow, RowFault> {
        // A tombstone has nothing to replace; `Ok(Flow::Drop)` would drop the record.
        if let Some(changed) = record.value().and_then(|value| replaced(value, &self.find, &self.put)) {
            record.set_value(Some(&changed));
        }
        Ok(Flow::Keep)
    }
}

/// The value with each `find` replaced; none if there is none in it. `find` is not empty.
fn replaced(value: &[u8], find: &[u8], put: &[u8]) -> Option<Vec<u8>> {
    let (mut changed, mut rest) = (Vec::new(), value);
    while let Some(at) = rest.windows(find.len()).position(|part| part == find) {
        changed.extend_from_slice(&rest[..at]);
        changed.extend_from_slice(put);
        rest = &rest[at + find.len()..];
    }
    if rest.len() == value.len() {
        return None;
    }
    changed.extend_from_slice(rest);
    Some(changed)
}

lockgate_sdk::package! { name: "my-transform", version: env!("CARGO_PKG_VERSION"), transforms: [MyTransform] }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_occurrence_is_replaced_and_other_values_stay() {
        assert_eq!(replaced(b"a b a", b"a", b"***"), Some(b"*** b ***".to_vec()));
        assert_eq!(replaced(b"b", b"a", b"***"), None);
    }
}
