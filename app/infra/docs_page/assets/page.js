"use strict";
// The part of a description that stands at a path, with all it refers to. Swagger UI would read the
// whole into a tree of its own to show any part of it, and once more for each, a second or two long.
function partOf(description, path) {
  const { paths, components, ...part } = description;

  function take(steps) {
    let [from, to] = [description, part];
    for (const step of steps.slice(0, -1)) {
      from = from?.[step];
      to = to[step] ??= {};
    }
    const last = steps.at(-1);
    if (from?.[last] === undefined || last in to) return;
    to[last] = from[last];
    JSON.stringify(from[last], (key, value) => {
      const place = key === "$ref" && String(value).split("#/")[1];
      // A component is taken as a whole, whatever of it is meant.
      if (place) take(place.split("/").slice(0, 3));
      return value;
    });
  }

  take(path);
  return part;
}

const resolvedInParts = {
  afterLoad({ fn: { resolveSubtree } }) {
    this.fn.resolveSubtree = (description, path, options) =>
      resolveSubtree(partOf(description, path), path, options);
  },
};

window.ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [resolvedInParts],
  layout: "BaseLayout",
  deepLinking: true,
  tryItOutEnabled: true,
  // A token is kept as long as the page is open, and no longer.
  persistAuthorization: false,
  // No foreign host judges the description.
  validatorUrl: null,
  ...window.docsOptions,
});
