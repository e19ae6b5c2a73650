package io.leasehold.internal.natives;

import java.util.regex.Pattern;

/** Why the system would not load the library's file, read from its own words: what that means, and what can be done. */
enum Obstacle {
    LIBC_TOO_OLD(
            "version [`']?GLIBC_[0-9.]+'? not found",
            "the C library is too old",
            "use a system with a newer one, or keep to connection managers that need no native library"),
    LIBC_LACKS(
            "symbol not found|undefined symbol|Error loading shared library",
            "the C library or something beside it lacks what the library needs",
            "use a system that has all of it, or keep to connection managers that need no native library"),
    OTHER_PROCESSOR(
            "wrong ELF class|invalid ELF header|can't load .* on a|Exec format error|file too short",
            "the file is no library for this processor",
            "take the one that is for it"),
    LOADED_ELSEWHERE(
            "already loaded in another classloader",
            "another class loader of this JVM has loaded it from this very file",
            "remove the property, so that each takes a copy of its own, or give each its own file"),
    UNKNOWN("", "the system does not load it", "the system's own words should say what it lacks");

    private final Pattern words;
    private final String meaning;
    private final String advice;

    Obstacle(String words, String meaning, String advice) {
        this.words = Pattern.compile(words);
        this.meaning = meaning;
        this.advice = advice;
    }

    /** What the loader's error says, glibc's or musl's. */
    static Obstacle in(String message) {
        for (Obstacle obstacle : values()) {
            if (obstacle.words.matcher(message).find()) {
                return obstacle;
            }
        }
        return UNKNOWN;
    }

    String meaning() {
        return meaning;
    }

    String advice() {
        return advice;
    }
}
