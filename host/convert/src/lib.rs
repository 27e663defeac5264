//! lockgate-convert
