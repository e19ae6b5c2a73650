# ./dev install. Sourced by ./dev.

install_libraries() {
    if [ -n "$prefix" ]; then
        tools rust
        install_c "$prefix"
        say "installed the C library into $prefix; pkg-config finds it with PKG_CONFIG_PATH=$prefix/lib/pkgconfig"
    else
        tools rust java gradle
        gradle_java --quiet publishToMavenLocal
        say 'installed into the local Maven repository, group io.leasehold'
    fi
}
