//! Due instants (written next).
