//! Memory and tables of one instance.
//!
//! Enters: what a guest wants to grow to. Leaves: yes or no, and a note of the last no, so that the trap that usually
//! follows is reported as what it is. Invariant: all linear memories of the store together stay within the limit (L5).

use wasmtime::ResourceLimiter;

/// Elements of all tables together.
const TABLE_ELEMENTS_MAX: usize = 100_000;

/// Counts what one store holds.
#[derive(Debug)]
pub(crate) struct Limiter {
    memory_max: usize,
    memory: usize,
    elements: usize,
    refused: Option<String>,
}

impl Limiter {
    pub(crate) const fn new(memory_max: usize) -> Self {
        Self { memory_max, memory: 0, elements: 0, refused: None }
    }

    /// What was refused since the last call of this.
    pub(crate) const fn take_refused(&mut self) -> Option<String> {
        self.refused.take()
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        if total > self.memory_max {
            let (wanted, max) = (total.div_ceil(1 << 20), self.memory_max >> 20);
            self.refused = Some(format!("{wanted} MiB of memory, allowed are {max} (lockgate.limits.memory.mb)"));
            return Ok(false);
        }
        self.memory = total;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.elements.saturating_add(desired.saturating_sub(current));
        if total > TABLE_ELEMENTS_MAX {
            self.refused = Some(format!("{total} table elements, allowed are {TABLE_ELEMENTS_MAX}"));
            return Ok(false);
        }
        self.elements = total;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.refused.get_or_insert_with(|| format!("memory: {error:#}"));
        Ok(())
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.refused.get_or_insert_with(|| format!("table: {error:#}"));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn all_memories_count_together_and_a_refusal_takes_nothing() {
        let mut limiter = Limiter::new(3 << 20);
        assert!(limiter.memory_growing(0, 1 << 20, None).unwrap());
        assert!(limiter.memory_growing(0, 1 << 20, None).unwrap());
        assert!(!limiter.memory_growing(1 << 20, 4 << 20, None).unwrap());
        assert!(limiter.take_refused().unwrap().contains("5 MiB of memory, allowed are 3"));
        assert!(limiter.memory_growing(1 << 20, 2 << 20, None).unwrap());
        assert_eq!(limiter.take_refused(), None);
        assert!(!limiter.memory_growing(usize::MAX - 1, usize::MAX, None).unwrap());
        assert!(!limiter.table_growing(0, TABLE_ELEMENTS_MAX + 1, None).unwrap());
    }
}
