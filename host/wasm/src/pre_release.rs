//! Builds of a package that are no releases.
//!
//! Enters: a component, what is to stand behind its version. Leaves: the same component with it. Invariant: nothing of the
//! component is changed but a custom section at its end, which is no code; the version that results is checked like every other.

use crate::inspect::PRE_RELEASE_SECTION;

/// The component as `<its version>-<pre_release>`: two builds of one version can then be on a worker at the same time.
pub fn with_pre_release(component: &[u8], pre_release: &str) -> Vec<u8> {
    let mut section = Vec::new();
    length(PRE_RELEASE_SECTION.len(), &mut section);
    section.extend_from_slice(PRE_RELEASE_SECTION.as_bytes());
    section.extend_from_slice(pre_release.as_bytes());
    let mut out = component.to_vec();
    out.push(0); // the id of a custom section
    length(section.len(), &mut out);
    out.extend(section);
    out
}

/// A length as LEB128.
fn length(mut length: usize, out: &mut Vec<u8>) {
    loop {
        // Seven bits.
        let low = u8::try_from(length & 0x7f).unwrap_or(0);
        length >>= 7;
        if length == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_leb128() {
        let of = |n| {
            let mut out = Vec::new();
            length(n, &mut out);
            out
        };
        assert_eq!((of(0), of(127), of(128), of(300)), (vec![0], vec![127], vec![0x80, 1], vec![0xac, 2]));
    }
}
