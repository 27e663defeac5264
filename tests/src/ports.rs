//! Ports on this machine that a test may listen on.
//!
//! Enters: how many in a row. Leaves: the first of them. Invariant: no two calls of a process get the same, processes
//! look in different places first, and none is of the range that the system gives to outgoing connections, where a port
//! that was free a moment ago may be gone when it is wanted.

use std::net::TcpListener;
use std::sync::{Mutex, PoisonError};

/// Below the range of outgoing connections (32,768 on Linux), above what services like to use.
const FIRST: u16 = 19_000;
const LAST: u16 = 32_000;
/// Places in which a process may begin to look.
const STARTS: u32 = 130;

/// The first of `count` ports in a row that are free now.
pub fn free_ports(count: u16) -> u16 {
    static NEXT: Mutex<Option<u16>> = Mutex::new(None);
    let mut next = NEXT.lock().unwrap_or_else(PoisonError::into_inner);
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let begin = || FIRST + u16::try_from(std::process::id() % STARTS).unwrap_or(0) * 100;
    loop {
        let first = next.unwrap_or_else(begin);
        let first = if first + count > LAST { FIRST } else { first };
        *next = Some(first + count);
        if (first..first + count).all(free) {
            return first;
        }
    }
}

/// A port that is free now.
pub fn free_port() -> u16 {
    free_ports(1)
}
