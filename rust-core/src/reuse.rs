//! What an HTTP/1 response's headers say about the connection it came on.

use std::time::Duration;

/// What is to become of a connection after an exchange.
///
/// ```
/// use std::time::Duration;
/// use leasehold::Reuse;
///
/// // HTTP/1.1 keeps connections unless told otherwise, and the server says for how long.
/// assert_eq!(Reuse::of_http1(1, None, Some("timeout=5, max=99")), Reuse::KeepFor(Duration::from_secs(5)));
/// assert_eq!(Reuse::of_http1(1, Some("close"), None), Reuse::Close);
/// // HTTP/1.0 closes them unless told otherwise.
/// assert_eq!(Reuse::of_http1(0, None, None), Reuse::Close);
/// assert_eq!(Reuse::of_http1(0, Some("Keep-Alive"), None), Reuse::Keep);
/// // The last request that the server will answer on it.
/// assert_eq!(Reuse::of_http1(1, None, Some("timeout=5, max=0")), Reuse::Close);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// Close it.
    Close,
    /// Keep it for this long.
    KeepFor(Duration),
    /// Keep it for as long as it lasts.
    Keep,
}

impl Reuse {
    /// Reads the `Connection` and `Keep-Alive` headers of an HTTP/1.x response; several of one name joined by commas.
    ///
    /// `Connection` is a list of tokens, compared without regard to case; `close` wins. Of `Keep-Alive` the parameters
    /// `timeout`, in seconds, and `max`, the requests left, are read; a `max` of 0 closes. A `timeout` of 0 closes
    /// too, unlike with HttpClient, which keeps such a connection for ever. Of several of one name the smallest counts, whoever has
    /// written them on the way. What cannot be read is passed over.
    pub fn of_http1(
        minor_version: u8,
        connection: Option<&str>,
        keep_alive: Option<&str>,
    ) -> Reuse {
        let says = |token: &str| {
            connection
                .unwrap_or_default()
                .split(',')
                .any(|element| element.trim().eq_ignore_ascii_case(token))
        };
        if says("close") || (minor_version == 0 && !says("keep-alive")) {
            return Reuse::Close;
        }
        let parameter = |name: &str| {
            keep_alive
                .unwrap_or_default()
                .split(',')
                .filter_map(|element| element.split_once('='))
                .filter(|(key, _)| key.trim().eq_ignore_ascii_case(name))
                .filter_map(|(_, value)| value.trim().trim_matches('"').parse::<u64>().ok())
                .min()
        };
        if parameter("max") == Some(0) {
            return Reuse::Close;
        }
        match parameter("timeout") {
            Some(0) => Reuse::Close,
            Some(seconds) => Reuse::KeepFor(Duration::from_secs(seconds)),
            None => Reuse::Keep,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_wins_wherever_it_stands() {
        assert_eq!(
            Reuse::of_http1(1, Some("Upgrade, CLOSE"), Some("timeout=5")),
            Reuse::Close
        );
        assert_eq!(
            Reuse::of_http1(0, Some("keep-alive, close"), None),
            Reuse::Close
        );
    }

    #[test]
    fn of_several_the_smallest_counts() {
        let read = |keep_alive| Reuse::of_http1(1, None, Some(keep_alive));
        assert_eq!(read("timeout=5, timeout=0"), Reuse::Close);
        assert_eq!(read("max=9, max=0, timeout=5"), Reuse::Close);
        let five = Reuse::KeepFor(Duration::from_secs(5));
        assert_eq!(read("timeout=5, timeout=60, timeout=x"), five);
        assert_eq!(read("timeout=60, timeout=5"), five);
    }

    #[test]
    fn what_cannot_be_read_is_passed_over() {
        for odd in [
            "",
            ",",
            "timeout",
            "timeout=",
            "timeout=soon",
            "max=x",
            "timeout=-1",
            "=5",
        ] {
            assert_eq!(Reuse::of_http1(1, None, Some(odd)), Reuse::Keep, "{odd}");
        }
        assert_eq!(
            Reuse::of_http1(1, None, Some("timeout=x, Timeout = \"7\"")),
            Reuse::KeepFor(Duration::from_secs(7))
        );
        let huge = format!("timeout={}", u64::MAX);
        assert_eq!(
            Reuse::of_http1(1, None, Some(&huge)),
            Reuse::KeepFor(Duration::from_secs(u64::MAX))
        );
    }
}
