#!/usr/bin/env python3
"""Builds what the README says to copy, as its reader would: projects with nothing but what it names.

    snippets.py java REPOSITORY    with Maven and with Gradle, from a local Maven repository with Leasehold in it
    snippets.py rust               with cargo
    snippets.py c PREFIX           with pkg-config and with CMake, from an installed library

A block of the README marked `<!-- builds EXAMPLE -->` is the build of a project, the sources of which are the example's: those that the
README quotes. Each project is built in target/snippets, and what it makes is run.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parent.parent
projects = root / 'target' / 'snippets'
readme = (root / 'README.md').read_text()
# A reader's shell does not know where this one has found its libraries and repositories.
environment = {name: value for name, value in os.environ.items() if name not in ('LD_LIBRARY_PATH', 'PKG_CONFIG_PATH')}


def blocks(language):
    """The README's blocks in a language that build an example, by its name."""
    found = re.findall(rf'<!-- builds examples/(\S+) -->\n```{language}\n(.*?)```', readme, re.S)
    if not found:
        sys.exit(f'README.md has no {language} block that builds an example')
    return dict(found)


def fresh(name):
    directory = projects / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def run(*command, **options):
    return subprocess.run(command, check=True, env=environment, **options)


# ----- Java -----

POM = '''<project xmlns="http://maven.apache.org/POM/4.0.0">
    <modelVersion>4.0.0</modelVersion>
    <groupId>reader</groupId>
    <artifactId>{name}</artifactId>
    <version>1</version>
    <packaging>{packaging}</packaging>
    <properties>
        <maven.compiler.source>8</maven.compiler.source>
        <maven.compiler.target>8</maven.compiler.target>
        <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
    </properties>
    {rest}
</project>
'''

GRADLE = '''apply plugin: 'java'
sourceCompatibility = '8'
targetCompatibility = '8'
{block}
task dependencies8(type: Copy) {{
    from sourceSets.main.runtimeClasspath
    into 'copied'
}}
'''


def maven(repository):
    work, names = fresh('maven'), blocks('xml')
    modules = ''.join(f'<module>{name}</module>' for name in names)
    (work / 'pom.xml').write_text(POM.format(name='all', packaging='pom', rest=f'<modules>{modules}</modules>'))
    for name, block in names.items():
        shutil.copytree(root / 'examples' / name / 'src', work / name / 'src')
        rest = block if '<dependencies>' in block else f'<dependencies>\n{block}</dependencies>'
        pom = POM.format(name=name, packaging='jar', rest=rest)
        (work / name / 'pom.xml').write_text(pom)
    run('mvn', '--batch-mode', '--quiet', f'-Dmaven.repo.local={repository}', '--file', work / 'pom.xml', 'compile',
        'dependency:copy-dependencies')
    return {name: f'{work}/{name}/target/classes:{work}/{name}/target/dependency/*' for name in names}


def gradle(repository):
    work, names = fresh('gradle'), blocks('groovy')
    (work / 'settings.gradle').write_text(''.join(f"include '{name}'\n" for name in names))
    for name, block in names.items():
        shutil.copytree(root / 'examples' / name / 'src', work / name / 'src')
        (work / name / 'build.gradle').write_text(GRADLE.format(block=block))
    run('gradle', '--no-daemon', '--quiet', f'-Dmaven.repo.local={repository}', '-p', work, 'dependencies8')
    return {name: f'{work}/{name}/copied:{work}/{name}/copied/*' for name in names}


def main_class(name):
    for source in (root / 'examples' / name).glob('src/main/java/example/*.java'):
        if 'public static void main' in source.read_text():
            return f'example.{source.stem}'
    sys.exit(f'examples/{name} has no program')


def java(repository):
    # The server of the tests, an nginx, which sees a single connection of each program.
    server = ':'.join(str(root / place / 'build/classes/java/main') for place in ('tests/servers', 'java-bindings/test-support'))
    for tool, class_paths in ('Maven', maven(repository)), ('Gradle', gradle(repository)):
        for name, class_path in class_paths.items():
            said = run('java', '-cp', server, 'io.leasehold.tests.servers.WithServer', 'java', '-cp', class_path, main_class(name), '{}',
                       stdout=subprocess.PIPE, universal_newlines=True).stdout
            answers = [line for line in said.splitlines() if line.endswith('200 OK, 6 bytes')]
            if len(answers) != 3:
                sys.exit(f'{name}, built with {tool}, has not got its three answers:\n{said}')
            print(f'{name}, built with {tool}: three answers over one connection')


# ----- Rust -----

def rust():
    for name, block in blocks('toml').items():
        work = fresh(name) / 'reader'
        work.mkdir()
        (work.parent / 'leasehold').symlink_to(root)
        # A workspace of its own, as it lies within another.
        package = f'[package]\nname = "reader"\nversion = "1.0.0"\nedition = "2024"\n\n[workspace]\n\n{block}'
        (work / 'Cargo.toml').write_text(package)
        (work / 'src').mkdir()
        programs = re.findall(r'```rust\n(.*?)```', readme, re.S)
        for i, program in enumerate(programs):
            place = work / 'src' / 'bin' / f'program{i}.rs'
            place.parent.mkdir(exist_ok=True)
            place.write_text(program)
        # The versions of other crates are those that everything here is built with.
        shutil.copy(root / 'Cargo.lock', work / 'Cargo.lock')
        run('cargo', 'build', '--quiet', '--manifest-path', work / 'Cargo.toml', '--target-dir', projects / 'cargo')
        print(f'{len(programs)} Rust program of the README: built')


# ----- C -----

def c(prefix):
    work = fresh('c')
    example = root / 'examples/c'
    # One file, as in the README's command.
    (work / 'program.c').write_text((example / 'threads.c').read_text() + (example / 'http.c').read_text())
    shutil.copy(example / 'http.h', work)
    command = blocks('sh')['c'].replace('DIR', str(prefix))
    run('bash', '-euc', command, cwd=work)
    check_found('by pkg-config', work / 'program', {}, prefix)

    run('cc', 'program.c', f'-I{prefix}/include', f'-L{prefix}/lib', '-lleasehold', '-o', 'program', cwd=work)
    if library_of(work / 'program', {}):
        sys.exit('a program that was not told where the library is finds the library all the same: these tests prove nothing here')
    check_found('with -lleasehold alone, with LD_LIBRARY_PATH', work / 'program', {'LD_LIBRARY_PATH': f'{prefix}/lib'}, prefix)
    check_ldconfig(work / 'program', prefix)

    check_header(work, prefix)

    build = work / 'CMakeLists.txt'
    build.write_text('cmake_minimum_required(VERSION 3.16)\nproject(reader C)\nadd_executable(program program.c)\n' + blocks('cmake')['c'])
    for step in ['-S', work, '-B', work / 'cmake', f'-DCMAKE_PREFIX_PATH={prefix}'], ['--build', work / 'cmake']:
        run('cmake', *step, stdout=subprocess.DEVNULL)
    check_found('by CMake', work / 'cmake/program', {}, prefix)


def library_of(program, more):
    """Where a program finds the library, or None."""
    said = subprocess.run(['ldd', program], check=True, env={**environment, **more}, stdout=subprocess.PIPE, universal_newlines=True).stdout
    found = re.search(r'libleasehold\.so\.0 => (/\S+)', said)
    return found and found.group(1)


def check_found(how, program, more, prefix):
    """The program finds the installed library, and begins: without arguments it says what it wants, and ends with 2."""
    found = library_of(program, more)
    ended = subprocess.run([program], env={**environment, **more}, stderr=subprocess.DEVNULL).returncode
    if found is None or not os.path.samefile(found, f'{prefix}/lib/libleasehold.so.0') or ended != 2:
        sys.exit(f'{how}: the program finds {found} and ends with {ended}')
    print(f'a C program built {how}: finds its library')


# What the program has to bring to the walk that the header opens with. Its server closes once it is idle.
WALK = '''#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "leasehold.h"

static int ends[2], closed;

static void close_connection(void *context, void *data, lh_cause cause) {{
    (void)context;
    closed = cause == LH_CAUSE_PEER_CLOSED;
    close(*(int *)data);
}}

static void *open_connection(int *fd) {{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) abort();
    *fd = ends[0];
    return &ends[0];
}}

static void exchange(void *connection) {{
    if (connection != &ends[0]) abort();
}}

/* Before the pool ends, when the connection is idle. */
static void close_at_the_server(lh_pool pool) {{
    lh_counters counters = {{0}};
    close(ends[1]);
    while (counters.closed_by_peer == 0) lh_pool_counters(pool, &counters, sizeof counters);
}}
#define lh_pool_destroy(pool) (close_at_the_server(pool), (lh_pool_destroy)(pool))

int main(void) {{
{walk}
    return closed ? 0 : 1;
}}
'''


def check_header(work, prefix):
    """The walk at the head of the header is a program that works, and whose pool notices that the server has closed."""
    head = (prefix / 'include/leasehold.h').read_text().split('*/', 1)[0]
    walk = '\n'.join(re.findall(r'^ \*(     .*|)$', head.split('What holds for every function', 1)[0], re.M))
    (work / 'walk.c').write_text(WALK.format(walk=walk))
    flags = run('pkg-config', '--cflags', '--libs', prefix / 'lib/pkgconfig/leasehold.pc', stdout=subprocess.PIPE).stdout.decode().split()
    run('cc', '-Wall', '-Wextra', '-Werror', work / 'walk.c', *flags, '-o', work / 'walk')
    run(work / 'walk')
    print("the walk at the header's head: its pool notices that the server has closed")


def check_ldconfig(program, prefix):
    """In an /etc of its own, so that the machine's stays as it is."""
    script = f'''
        copy=$(mktemp -d) && mount -t tmpfs none "$copy" && cp -a /etc/. "$copy" && mount --move "$copy" /etc &&
        echo {prefix}/lib >/etc/ld.so.conf.d/leasehold.conf && ldconfig &&
        ldd {program} | grep -q 'libleasehold.so.0 => {prefix}/lib' && {{ {program} 2>/dev/null; [ $? = 2 ]; }}'''
    if subprocess.run(['unshare', '--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'], stderr=subprocess.DEVNULL).returncode != 0:
        print('a C program built with -lleasehold alone, with ldconfig: left out, as this user may not mount')
        return
    run('unshare', '--mount', 'sh', '-c', script)
    print('a C program built with -lleasehold alone, with ldconfig: finds its library')


def main():
    match sys.argv[1:]:
        case ['java', repository]:
            java(pathlib.Path(repository).resolve())
        case ['rust']:
            rust()
        case ['c', prefix]:
            c(pathlib.Path(prefix).resolve())
        case _:
            sys.exit(__doc__)


main()
