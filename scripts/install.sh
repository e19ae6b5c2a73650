# ./dev install. Sourced by ./dev.

version() { sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml; }

install_libraries() {
    if [ -n "$prefix" ]; then
        tools rust
        say "building the C library and installing it into $prefix"
        install_c "$prefix"
        say "installed $prefix/include/leasehold.h, $prefix/lib/libleasehold.so and .a, $prefix/lib/pkgconfig/leasehold.pc"
        say "a program is built with PKG_CONFIG_PATH=$prefix/lib/pkgconfig; how it finds the library, the README says"
    else
        tools rust java gradle
        say 'building the Java libraries and installing them into the local Maven repository'
        gradle_java publishToMavenLocal
        say "installed, to be named as io.leasehold:ARTIFACT:$(version), with ARTIFACT leasehold, leasehold-httpclient3, leasehold-httpclient4, leasehold-httpclient5, leasehold-micrometer, leasehold-opentelemetry or leasehold-agent"
    fi
}
