//! lockgate-tidy
