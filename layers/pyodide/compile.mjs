// Compiles a built layer with Pyodide's CPython 3.13: node compile.mjs FOLDER
// Bytecode depends on Python's version only, so WebAssembly's is that of Lambda.
import process from "node:process";
import { loadPyodide } from "pyodide";

const python = await loadPyodide();
python.mountNodeFS("/opt", process.argv[2]);
const made = python.runPython(`
import compileall, py_compile, sys
assert sys.version_info[:2] == (3, 13), sys.version
compileall.compile_dir("/opt/python", quiet=1, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
`);
process.exit(made ? 0 : 1);
