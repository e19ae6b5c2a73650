# Gradle as every script runs it. Sourced by ./dev and scripts/watch.sh.

# No daemon is left behind, and cargo is the one that was found or installed.
gradle_java() {
    CARGO=$(command -v cargo) gradle --no-daemon -p java-bindings "$@"
}
