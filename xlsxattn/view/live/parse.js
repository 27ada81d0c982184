// Parses the tokens of a formula into a tree, by the precedence of spreadsheets.
const LEVELS = [["=", "<>", "<", ">", "<=", ">="], ["&"], ["+", "-"], ["*", "/"], ["^"]];

function parse(formula) {
  const list = tokens(formula);
  let at = 0;
  const next = (...signs) => list[at]?.kind === "sign" && signs.includes(list[at].text);
  const skip = (sign) => {
    if (!next(sign)) throw new Unsupported(formula);
    at += 1;
  };

  function operation(level) {
    if (level === LEVELS.length) return signed();
    let left = operation(level + 1);
    while (next(...LEVELS[level])) {
      const sign = list[at++].text;
      left = { kind: "operation", sign, parts: [left, operation(level + 1)] };
    }
    return left;
  }

  function signed() { // binds more tightly than ^: -2^2 is 4
    if (!next("-", "+")) return primary();
    const sign = list[at++].text;
    return { kind: "signed", sign, parts: [signed()] };
  }

  function primary() {
    const token = list[at++];
    if (token?.kind === "number") return { kind: "constant", value: Number(token.text) };
    if (token?.kind === "text") return { kind: "constant", value: token.text.slice(1, -1).replaceAll('""', '"') };
    if (token?.kind === "cells") return { kind: "cells", text: token.text };
    if (token?.kind === "name" && next("(")) return call(token.text);
    if (token?.kind === "name" && /^(TRUE|FALSE)$/.test(token.text)) return { kind: "constant", value: token.text === "TRUE" };
    if (token?.kind === "name") return { kind: "name", text: token.text };
    if (token?.text !== "(") throw new Unsupported(formula);
    const inner = operation(0);
    skip(")");
    return inner;
  }

  function call(name) {
    skip("(");
    const parts = [];
    while (!next(")")) {
      parts.push(next(",") ? { kind: "constant", value: null } : operation(0));
      if (!next(")")) skip(",");
    }
    skip(")");
    return { kind: "call", name, parts };
  }

  const tree = operation(0);
  if (at < list.length) throw new Unsupported(formula);
  return tree;
}
