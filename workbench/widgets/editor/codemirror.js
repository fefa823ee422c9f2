// What the formule editor takes of CodeMirror, as one object a page loads once.

export { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, startCompletion } from "@codemirror/autocomplete";
export { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
export { bracketMatching } from "@codemirror/language";
export { forceLinting, lintKeymap, nextDiagnostic, setDiagnostics } from "@codemirror/lint";
export { Annotation, Compartment, EditorState, Prec } from "@codemirror/state";
export { Decoration, EditorView, MatchDecorator, ViewPlugin, drawSelection, keymap, placeholder, tooltips } from "@codemirror/view";
