//! Which records of one span are still open.
//!
//! Enters: "this one", "all the rest". Leaves: how many from the front are settled. Invariant: a span without exceptions
//! holds no bitmap; a record never opens again.

/// Open records of a span of `count`.
#[derive(Debug)]
pub(super) enum Pending {
    /// All of them.
    All,
    /// Those whose bit is set.
    Some { bits: Box<[u64]>, open: u32 },
    /// None.
    None,
}

impl Pending {
    /// Settles one; false if it was settled before or does not exist.
    pub(super) fn settle_one(&mut self, index: u32, count: u32) -> bool {
        if index >= count {
            return false;
        }
        if let Self::All = self {
            *self = Self::open_bitmap(count);
        }
        let Self::Some { bits, open } = self else { return false };
        let (word, bit) = (index as usize / 64, 1_u64 << (index % 64));
        if bits[word] & bit == 0 {
            return false;
        }
        bits[word] &= !bit;
        *open -= 1;
        if *open == 0 {
            *self = Self::None;
        }
        true
    }

    /// Settles whatever is open; answers how many that were.
    pub(super) fn settle_rest(&mut self, count: u32) -> u32 {
        let open = self.open(count);
        *self = Self::None;
        open
    }

    /// How many are open.
    pub(super) const fn open(&self, count: u32) -> u32 {
        match self {
            Self::All => count,
            Self::Some { open, .. } => *open,
            Self::None => 0,
        }
    }

    /// How many from the front are settled.
    pub(super) fn settled_front(&self, count: u32) -> u32 {
        match self {
            Self::All => 0,
            Self::None => count,
            Self::Some { bits, .. } => {
                let mut front = 0;
                for word in bits {
                    if *word != 0 {
                        return (front + word.trailing_zeros()).min(count);
                    }
                    front += 64;
                }
                count
            }
        }
    }

    fn open_bitmap(count: u32) -> Self {
        let mut bits = vec![u64::MAX; (count as usize).div_ceil(64)].into_boxed_slice();
        if let (Some(last), tail @ 1..) = (bits.last_mut(), count % 64) {
            *last = (1 << tail) - 1;
        }
        Self::Some { bits, open: count }
    }
}
