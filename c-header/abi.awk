# Makes of leasehold.h a C program that prints each struct's size, its members' offsets, and each enum's numbers.
# It knows the shape that cbindgen gives a header: one member or enumerator a line.
BEGIN {
    print "#include <stdio.h>\n#include \"leasehold.h\"\nint main(void) {"
}
/^typedef struct lh_[a-z_]+ \{$/ { kind = "struct"; count = 0; next }
/^typedef enum lh_[a-z_]+ \{$/ { kind = "enum"; count = 0; next }
kind == "struct" && /^    [a-z].*;$/ {
    sub(/;$/, "")
    name = $NF
    sub(/^\**/, "", name)
    sub(/\[.*/, "", name)
    members[count++] = name
    next
}
kind == "enum" && /^    LH_[A-Z_0-9]+ = / { members[count++] = $1; next }
kind != "" && /^\} / {
    type = $2
    sub(/;$/, "", type)
    printf "    printf(\"%s %s size %%zu\\n\", sizeof(%s));\n", kind, type, type
    for (i = 0; i < count; i++) {
        if (kind == "struct")
            printf "    printf(\"member %s.%s offset %%zu size %%zu\\n\", offsetof(%s, %s), sizeof(((%s *)0)->%s));\n", type, members[i], type, members[i], type, members[i]
        else
            printf "    printf(\"number %s %%d\\n\", %s);\n", members[i], members[i]
    }
    kind = ""
}
END { print "    return 0;\n}" }
