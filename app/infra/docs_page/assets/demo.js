"use strict";
window.docsOptions = (() => {
  const buttons = [...document.querySelectorAll(".demo [data-role]")];
  const purpose = document.getElementById("demo-purpose");
  const status = document.getElementById("demo-status");
  let clicks = 0;
  let given = null;

  // The name under which the description speaks of bearer tokens.
  function scheme() {
    const schemes = window.ui.specSelectors.specJson().toJS().components.securitySchemes;
    return Object.keys(schemes).find((name) => schemes[name].scheme === "bearer");
  }

  function press(pressed) {
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(button === pressed));
    }
  }

  // Swagger UI has a dialogue of its own to sign out, or in with another token.
  function notice() {
    if (given === null) return;
    const held = window.ui.authSelectors.authorized()?.getIn([given.name, "value"]) ?? null;
    if (held !== given.token) {
      given = null;
      press(null);
      status.textContent = held === null ? "Not signed in." : "Signed in with a token of your own.";
    }
  }

  async function fetchToken(role) {
    const answer = await fetch(`docs/token?role=${role}`, { method: "POST", credentials: "omit" });
    if (answer.status === 403) {
      throw new Error("Tokens are given only to a browser on the demonstration's own machine, at 127.0.0.1 or localhost.");
    }
    if (!answer.ok) {
      throw new Error(`The service answered ${answer.status}.`);
    }
    return answer.json();
  }

  async function signIn(button) {
    const click = ++clicks;
    const { role } = button.dataset;
    try {
      const found = await fetchToken(role);
      // Who has clicked on meanwhile is somebody else.
      if (click !== clicks) return;
      given = { name: scheme(), token: found.token };
      window.ui.preauthorizeApiKey(given.name, given.token);
      purpose.value = button.dataset.purpose;
      const until = new Date(Date.now() + found.seconds * 1000).toLocaleTimeString([], { timeStyle: "short" });
      const whom = found.customer_id === null ? "" :
        role === "customer" ? ` You are customer ${found.customer_id}.` : ` A customer to try: ${found.customer_id}.`;
      press(button);
      status.textContent = `Signed in as ${button.textContent} until ${until}.${whom}`;
    } catch (error) {
      // Whoever was signed in before still is.
      if (click === clicks) status.textContent = `Not signed in as ${button.textContent}. ${error.message}`;
    }
  }

  for (const button of buttons) {
    button.addEventListener("click", () => signIn(button));
  }

  return {
    // Before the description is there, there is nothing to authorize.
    onComplete() {
      for (const button of buttons) button.disabled = false;
      window.ui.getStore().subscribe(notice);
    },
    requestInterceptor(request) {
      const names = Object.keys(request.headers ?? {}).map((name) => name.toLowerCase());
      if (!request.loadSpec && purpose.value !== "" && !names.includes("x-purpose")) {
        request.headers["X-Purpose"] = purpose.value;
      }
      return request;
    },
  };
})();
