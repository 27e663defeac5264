//! Who speaks which encoding to whom along the path of a task's records.
//!
//! Enters: converters, and the encodings that each plugin on the path takes or gives. Leaves: the formats of each station.
//! Invariant: neighbours that can speak the same encoding do, so that nothing is converted between them.

use lockgate_convert::{Converter, negotiate};
use lockgate_model::{Encoding, Formats};

/// The three converters of a task.
#[derive(Clone, Debug)]
pub(crate) struct Trio {
    pub key: Converter,
    pub value: Converter,
    pub header: Converter,
}

impl Trio {
    /// What a plugin beside the converters speaks.
    pub(crate) fn formats(&self, spoken: &[Encoding]) -> Formats {
        Formats {
            key: negotiate(&self.key, spoken),
            value: negotiate(&self.value, spoken),
            header: negotiate(&self.header, spoken),
        }
    }
}

/// What a plugin behind another one speaks: the same if it can.
pub(crate) fn follow(before: Formats, spoken: &[Encoding]) -> Formats {
    let one = |before: Encoding| {
        let typed = spoken.iter().copied().find(|e| *e != Encoding::Bytes);
        if spoken.contains(&before) { before } else { typed.unwrap_or(Encoding::Bytes) }
    };
    Formats { key: one(before.key), value: one(before.value), header: one(before.header) }
}

/// What a source in front of a chain gives: what the chain takes if it can, else what it prefers.
pub(crate) fn lead(given: &[Encoding], taken: &[Encoding]) -> Formats {
    let shared = given.iter().copied().find(|e| taken.contains(e));
    let one = shared.or(given.first().copied()).unwrap_or(Encoding::Bytes);
    Formats { key: one, value: one, header: one }
}

/// What all plugins of a segment speak, in the first one's order.
pub(crate) fn shared<'a>(all: impl IntoIterator<Item = &'a [Encoding]>) -> Vec<Encoding> {
    let mut all = all.into_iter();
    let mut spoken = all.next().map(<[Encoding]>::to_vec).unwrap_or_default();
    all.for_each(|other| spoken.retain(|e| other.contains(e)));
    spoken
}

#[cfg(test)]
mod tests {
    use super::*;
    use Encoding::{Bytes, Cbor, Json};

    const fn all(encoding: Encoding) -> Formats {
        Formats { key: encoding, value: encoding, header: encoding }
    }

    #[test]
    fn neighbours_that_can_speak_the_same_encoding_do() {
        assert_eq!(follow(all(Json), &[Bytes, Json]), all(Json));
        assert_eq!(follow(all(Bytes), &[Cbor, Json]), all(Cbor));
        assert_eq!(follow(all(Json), &[Bytes]), all(Bytes));
        assert_eq!(lead(&[Bytes, Json], &[Json, Cbor]), all(Json));
        assert_eq!(lead(&[Bytes], &[Json]), all(Bytes));
    }

    #[test]
    fn a_segment_speaks_what_all_its_plugins_speak() {
        assert_eq!(shared([&[Json, Cbor][..], &[Cbor, Json], &[Bytes, Json]]), [Json]);
        assert!(shared([&[Json][..], &[Cbor]]).is_empty());
    }
}
