// Launcher tiles and commands, French: a new notebook that has `%load_ext workbench`, and the tutorials that are there.
// Written as it is read: no build. JupyterLab gives its own copies of its modules through `init`.
(() => {
  const KERNEL = "workbench";
  const CATEGORY = "Comptes publics";
  const CELLS = [
    ["markdown", "# Titre"],
    ["code", "%load_ext workbench\nimport workbench as wb\n\nbase = wb.connect(\"base.duckdb\")  # ou demo/base.duckdb"],
    ["code", ""],
  ];
  let shared;

  const load = async (name) => {
    const versions = Object.values(shared[name]);
    const chosen = versions.find((each) => each.loaded) ?? versions.at(-1);
    return (await chosen.get())();
  };

  const newNotebook = () => ({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {
      kernelspec: { name: KERNEL, display_name: "Comptes publics (workbench)", language: "python" },
      language_info: { name: "python" },
    },
    cells: CELLS.map(([type, source], rank) => ({
      cell_type: type,
      id: `depart-${rank}`,
      metadata: {},
      source,
      ...(type === "code" ? { outputs: [], execution_count: null } : {}),
    })),
  });

  // « 00_prise_en_main.ipynb » is read as a title: « Prise en main ».
  const title = (name) => {
    const words = name.replace(/^\d+_/, "").replace(/\.ipynb$/, "").replaceAll("_", " ");
    return words.charAt(0).toUpperCase() + words.slice(1);
  };

  const activate = async (app, LabIcon, launcher, palette) => {
    const contents = app.serviceManager.contents;
    const drawing = (name, body) =>
      new LabIcon({ name: `workbench:${name}`, svgstr: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">${body}</svg>` });
    const notebookIcon = drawing(
      "notebook",
      '<rect width="64" height="64" rx="12" fill="#1f3a6e"/><rect x="13" y="34" width="8" height="16" rx="1.5" fill="#9db8e8"/>' +
        '<rect x="28" y="24" width="8" height="26" rx="1.5" fill="#c9d8f5"/><rect x="43" y="14" width="8" height="36" rx="1.5" fill="#fff"/>',
    );
    const tutorialIcon = drawing(
      "tutoriel",
      '<rect width="64" height="64" rx="12" fill="#1f3a6e"/><path d="M32 20c-6-5-13-5-19-4v30c6-1 13 0 19 4 6-4 13-5 19-4V16c-6-1-13-1-19 4z" fill="#c9d8f5"/>' +
        '<path d="M32 20v30" stroke="#1f3a6e" stroke-width="3"/>',
    );
    const add = (command, category, rank) => {
      palette?.addItem({ command, category: CATEGORY });
      launcher?.add({ command, category, rank });
    };

    app.commands.addCommand("workbench:new-notebook", {
      label: "Nouveau notebook d’analyse",
      caption: "Un notebook prêt à interroger la base et à évaluer une trame",
      icon: notebookIcon,
      execute: async (options) => {
        const folder = (options && options.cwd) || "";
        const model = await contents.newUntitled({ path: folder, type: "notebook" });
        await contents.save(model.path, { type: "notebook", format: "json", content: newNotebook() });
        return app.commands.execute("docmanager:open", { path: model.path, factory: "Notebook", kernel: { name: KERNEL } });
      },
    });
    add("workbench:new-notebook", "Notebook", 0); // the first section, whose name French keeps

    let found = [];
    try {
      // Seen in its root first: asking for a folder that is not there shows as an error in the console.
      const root = await contents.get("", { content: true });
      const there = root.content.some((each) => each.name === "notebooks" && each.type === "directory");
      const folder = there ? await contents.get("notebooks", { content: true }) : { content: [] };
      found = folder.content.filter((each) => /^\d\d_.*\.ipynb$/.test(each.name)).map((each) => each.name).sort();
    } catch {
      // A root that cannot be read: no tutorials.
    }
    found.forEach((name, rank) => {
      const command = `workbench:tutorial-${name}`;
      app.commands.addCommand(command, {
        label: title(name),
        caption: `Ouvrir notebooks/${name}`,
        icon: tutorialIcon,
        execute: () => app.commands.execute("docmanager:open", { path: `notebooks/${name}`, factory: "Notebook" }),
      });
      add(command, CATEGORY, rank);
    });
  };

  const plugin = async () => {
    const [{ ILauncher }, { ICommandPalette }, { LabIcon }] = await Promise.all(
      ["@jupyterlab/launcher", "@jupyterlab/apputils", "@jupyterlab/ui-components"].map(load),
    );
    return {
      id: "workbench-launcher:plugin",
      description: "Launcher tiles and commands of the workbench",
      autoStart: true,
      optional: [ILauncher, ICommandPalette],
      // Not awaited: the interface opens while the tutorials are looked for.
      activate: (app, launcher, palette) => void activate(app, LabIcon, launcher, palette),
    };
  };

  const container = {
    init: (scope) => {
      shared = scope;
    },
    get: async () => {
      const made = await plugin();
      return () => ({ __esModule: true, default: made });
    },
  };
  (window._JUPYTERLAB ??= {})["workbench-launcher"] = container;
})();
