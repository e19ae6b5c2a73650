package io.leasehold.testsupport;

import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.List;

/** An application's class loader, as a servlet container would make it: it has its own copy of everything but the platform. */
public final class OwnLoader extends URLClassLoader {
    private OwnLoader(URL[] path) {
        super(path, ClassLoader.getSystemClassLoader().getParent());
    }

    /** A loader that finds what is on the class path, and what these classes come from if that is not on it. */
    public static OwnLoader with(Class<?>... needed) throws IOException {
        List<URL> path = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            path.add(new File(entry).toURI().toURL());
        }
        for (Class<?> type : needed) {
            path.add(type.getProtectionDomain().getCodeSource().getLocation());
        }
        return new OwnLoader(path.toArray(new URL[0]));
    }
}
