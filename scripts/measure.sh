# ./dev demo. Sourced by ./dev.

demo() {
    tools rust java gradle nginx
    say 'building'
    gradle_java --quiet :tests-demo:classes >&2
    gradle_java --quiet ${json:+-Pjson="$json"} :tests-demo:demo
}
