package io.leasehold.testsupport;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** A suite's scripts by name, in the order in which they are written down. */
public final class ScriptList<S extends ScriptStage> {
    private final Map<String, Script<S>> scripts = new LinkedHashMap<>();

    /** Adds a script under a name of its own. */
    public void add(String name, Script<S> script) {
        if (scripts.put(name, script) != null) {
            throw new IllegalArgumentException("two scripts are called " + name);
        }
    }

    /** All scripts that were added so far. */
    public Map<String, Script<S>> byName() {
        return Collections.unmodifiableMap(scripts);
    }
}
