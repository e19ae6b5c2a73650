# Finds or installs the tools that the commands of ./dev need. Sourced by ./dev.
#
# What is on the PATH is used; what is missing comes from Debian's archive, in one apt run for all that a command needs.

missing_packages=()

# need COMMAND PACKAGE...: the packages are wanted unless the command is on the PATH (or in sbin, where servers are).
need() {
    local command=$1
    shift
    PATH=$PATH:/usr/sbin:/sbin command -v "$command" >/dev/null || missing_packages+=("$@")
}

# tools NAME...: finds or installs each; returns only when all are there.
tools() {
    local tool
    for tool; do "need_$tool"; done
    [ ${#missing_packages[@]} -gt 0 ] || return 0
    install_packages "${missing_packages[@]}"
    missing_packages=()
    for tool; do "need_$tool"; done
    [ ${#missing_packages[@]} -eq 0 ] || die "installed, but still not usable: ${missing_packages[*]}"
}

need_gradle() { need gradle gradle; }
need_maven() { need mvn maven; }
need_shellcheck() { need shellcheck shellcheck; }
need_python3() { need python3 python3; }
need_pip() { need pip3 python3-pip; }
need_patchelf() { need patchelf patchelf; }
need_git() { need git git; }
need_cxx() { need g++ g++; }

# What the tests and examples of the C library need.
need_c_tests() {
    need valgrind valgrind libc6-dbg
    need cmake cmake make
    need pkg-config pkg-config
    [ -e /usr/include/cmocka.h ] || missing_packages+=(libcmocka-dev)
}

# What counts system calls and instructions.
need_counters() {
    need strace strace
    need valgrind valgrind
}

# What builds for 64-bit ARM, and runs that here: a compiler, Rust's standard library, an emulator, and what C tests take. Debian's Rust, as
# its standard libraries for other processors are packages.
need_aarch64() {
    dpkg --print-foreign-architectures | grep -qx arm64 || as_root dpkg --add-architecture arm64
    need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu libc6-dev-arm64-cross
    need qemu-aarch64 qemu-user
    [ -e /usr/lib/aarch64-linux-gnu/libcmocka.so ] || missing_packages+=(libcmocka-dev:arm64)
    [ ! -e /usr/lib/rustlib/aarch64-unknown-linux-gnu/lib ] || return 0
    if [ "$(debian_release)" = 12 ]; then
        missing_packages+=(rustc-web cargo-web libstd-rust-web-dev:arm64)
    else
        missing_packages+=(rustc cargo libstd-rust-dev:arm64)
    fi
}

# Programs for musl, and its loader.
need_musl() { need musl-gcc musl-tools; }
# Systems of other releases.
need_debootstrap() { need debootstrap debootstrap; }

need_nginx() { need nginx nginx; }
# Makes networks for tests.
need_ip() { need ip iproute2; }
need_httpd() { need apache2 apache2-bin; }
need_prometheus() { need prometheus prometheus; }

# A cargo that is new enough: the PATH's, else Debian's.
need_rust() {
    need cc gcc libc6-dev
    ! rust_fits cargo || return 0
    if rust_fits /usr/bin/cargo; then
        PATH=/usr/bin:$PATH
        return
    fi
    # Debian's cargo does not depend on the certificates without which it reaches no registry.
    missing_packages+=(ca-certificates)
    if [ "$(debian_release)" = 12 ]; then
        # Debian 12's rustc is too old; this one is kept up to date for its browsers.
        missing_packages+=(rustc-web cargo-web rustfmt-web rust-web-clippy)
    else
        missing_packages+=(rustc cargo rustfmt rust-clippy)
    fi
}

# The sources of the standard library, for a sanitizer that has to see into it: those of Debian's package, or rustup's. Whoever has
# another Rust may lack them: the sanitizer is then left out.
need_rust_sources() {
    case " ${missing_packages[*]} $(command -v rustc || echo rustc) " in
        # Debian's is about to be installed, its compiler too.
        *' rustc'*) ;;
        *' /usr/bin/rustc '*) [ ! -e /usr/lib/rustlib/src/rust/library/std/src/lib.rs ] || return 0 ;;
        *)
            [ -e "$(rustc --print sysroot)/lib/rustlib/src/rust/library" ] || ! command -v rustup >/dev/null ||
                rustup component add rust-src >/dev/null 2>&1 || true
            return 0
            ;;
    esac
    if [ "$(debian_release)" = 12 ]; then
        missing_packages+=(rust-web-src)
    else
        missing_packages+=(rust-src)
    fi
}

rust_fits() {
    local wanted has
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    has=$("$1" --version 2>/dev/null | cut -d ' ' -f 2) || return 1
    at_least "$has" "$wanted"
}

# A JDK of 17 or later: the PATH's, else Debian's.
need_java() {
    local has
    has=$(javac -version 2>/dev/null | cut -d ' ' -f 2) || has=0
    at_least "${has:-0}" 17 || missing_packages+=(default-jdk-headless)
}

# at_least VERSION MINIMUM
at_least() { [ "$(printf '%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

debian_release() {
    # shellcheck disable=SC1091
    (. /etc/os-release 2>/dev/null && echo "${VERSION_ID:-}")
}

# Runs a command as root, or fails when that cannot be had.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

can_be_root() {
    [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; }
}

# Leaves no service running or enabled that was not there before.
install_packages() {
    local packages command log
    mapfile -t packages < <(printf '%s\n' "$@" | sort -u)
    command="apt-get install -y --no-install-recommends ${packages[*]}"
    command -v apt-get >/dev/null || die "these Debian packages are missing, or what serves for them: ${packages[*]}"
    if ! can_be_root; then
        case " ${packages[*]} " in
            *' nginx '*) command+=' && systemctl disable --now nginx' ;;
        esac
        case " ${packages[*]} " in
            *' prometheus '*) command+=' && systemctl disable --now prometheus' ;;
        esac
        die "some packages are missing. As root, run this and then try again:
    apt-get update && $command"
    fi
    say "installing ${packages[*]} (apt)"
    log=$(mktemp)
    if ! { as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 update &&
        without_services apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${packages[@]}"; } >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        die "apt could not install ${packages[*]}"
    fi
    rm -f "$log"
    hash -r
}

# without_services APT-COMMAND: packages such as nginx start their service when installed, and enable it for the next boot. For the
# time of this one run a policy-rc.d (Debian's own hook for this) says no to starting, and afterwards what was newly enabled is disabled.
without_services() {
    as_root sh -s "$@" <<'SCRIPT'
policy=/usr/sbin/policy-rc.d
units() { ls /etc/systemd/system/*.wants /etc/rc[2-5].d 2>/dev/null | sort -u; }
restore() {
    rm -f $policy
    if [ -e $policy.before-leasehold ]; then mv $policy.before-leasehold $policy; fi
}
# A second run at the same time must not take our hook for the machine's own.
exec 9>/run/lock/leasehold-apt && flock 9
if [ -e $policy ]; then mv $policy $policy.before-leasehold; fi
trap restore EXIT
printf '#!/bin/sh\nexit 101\n' >$policy
chmod 755 $policy
before=$(units)
DEBIAN_FRONTEND=noninteractive "$@" 9>&- || exit
# The servers that our tests start themselves; nothing else we install has a service.
for service in nginx apache2 prometheus; do
    case "$before" in *$service*) continue ;; esac
    case "$(units)" in *$service*) ;; *) continue ;; esac
    deb-systemd-helper disable $service.service >/dev/null 2>&1
    update-rc.d $service disable >/dev/null 2>&1
done
exit 0
SCRIPT
}
