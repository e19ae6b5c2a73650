# ./dev install. Sourced by ./dev.

install_all() {
    tools rust java gradle
    gradle_java publishToMavenLocal
    say "installed into the local Maven repository: io.leasehold:{leasehold,leasehold-httpclient3}:0.1.0"
}
