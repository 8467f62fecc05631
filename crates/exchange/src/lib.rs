//! The rules: directory, agreements, lists, review, benefits, deliveries.
