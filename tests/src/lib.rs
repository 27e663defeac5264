//! lockgate-tests
