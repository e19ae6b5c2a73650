package io.leasehold.testsupport;

import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Runs the matrices of a test class, and says at its end how many cells they had. */
public final class CellCount implements AfterAllCallback {
    private final String whose;
    private int cells;

    /** Of what the failures of callers are tried. */
    public CellCount(String whose) {
        this.whose = whose;
    }

    /** Runs a matrix, as {@link Matrix#run}. */
    public void run(Matrix<?> matrix, String place) throws Exception {
        try {
            matrix.run(place);
        } finally {
            cells += matrix.cells();
        }
    }

    @Override
    public void afterAll(ExtensionContext context) {
        System.out.println("callers' failures: " + cells + " cells of " + whose);
    }
}
