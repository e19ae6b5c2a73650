package io.leasehold.tests.agent.programs;

import java.nio.charset.StandardCharsets;
import org.apache.commons.vfs2.FileObject;
import org.apache.commons.vfs2.FileSystemManager;
import org.apache.commons.vfs2.VFS;

/** Commons VFS reads files by its http3 provider, which is made on HttpClient 3.1. */
public final class Vfs {
    private Vfs() {}

    /** With the server's URL. */
    public static void main(String[] args) throws Exception {
        FileSystemManager files = VFS.getManager();
        Load.run(() -> {
            FileObject file = files.resolveFile(args[0].replaceFirst("http", "http3") + "/file");
            Load.expect("hello", file.getContent().getString(StandardCharsets.UTF_8));
            file.close();
        });
    }
}
